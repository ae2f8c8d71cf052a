"""``python -m spacy elmo train``: `spacy train` on a folder that `elmo corpus` wrote."""

import json
from pathlib import Path

import typer
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from wasabi import msg

from ..errors import Errors

# The configs' budgets are meant for hundreds of thousands of tokens. A corpus smaller than this
# is passed over many times instead, for as many steps as it takes to learn it.
SMALL_CORPUS_TOKENS = 100_000
SMALL_CORPUS = {
    "training.max_epochs": 0,
    "training.max_steps": 400,
    "training.eval_frequency": 50,
}


def train_cli(
    context: typer.Context,
    config: Path = typer.Argument(..., help="Config file, such as configs/elmo.cfg"),
    corpus: Path = typer.Option("corpus", help="Folder written by `elmo corpus`"),
    output: Path = typer.Option(..., help="Folder for model-best and model-last"),
) -> None:
    """Train a pipeline with spaCy on the train and dev parts of a corpus folder.

    The same as `spacy train CONFIG --paths.train ... --paths.dev ...`, with a smaller budget of
    steps where the corpus is small. Settings of the config can be given as options, for
    instance --training.max_steps 1000; they win.
    """
    overrides = corpus_overrides(corpus) | parse_config_overrides(context.args)
    if "training.max_steps" in overrides:
        msg.info(f"Training for at most {overrides['training.max_steps']} steps")
    train(config, output, overrides=overrides)


def corpus_overrides(corpus: Path) -> dict[str, object]:
    """What a corpus folder changes in a config: its paths and, if it is small, the budget.

    Raises FileNotFoundError for a folder that `elmo corpus` did not write.
    """
    description = corpus / "corpus.json"
    if not description.is_file():
        raise FileNotFoundError(Errors.EL501.format(path=description))
    n_tokens = json.loads(description.read_text(encoding="utf8"))["parts"]["train"]["tokens"]
    paths: dict[str, object] = {
        "paths.train": str(corpus / "train.spacy"),
        "paths.dev": str(corpus / "dev.spacy"),
    }
    return paths | (SMALL_CORPUS if n_tokens < SMALL_CORPUS_TOKENS else {})
