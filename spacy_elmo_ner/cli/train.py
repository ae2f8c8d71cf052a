"""``python -m spacy elmo train``: `spacy train` on a folder that `elmo corpus` wrote."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.util import load_config
from wasabi import msg

from ..corpus.share import write_share
from ..errors import Errors
from ..files import make_output_folder
from ..pipeline.calibrate_folder import calibrate_folder
from .calibrate import show
from .memory import keep_freed_memory

# The configs' budgets are meant for hundreds of thousands of tokens. A corpus smaller than this
# is passed over many times instead, for as many steps as it takes to learn it.
SMALL_CORPUS_TOKENS = 100_000
SMALL_CORPUS = {
    "training.max_epochs": 0,
    "training.max_steps": 250,
    "training.eval_frequency": 50,
}

OUR_PIPES = ("elmo", "elmo_tagger", "elmo_ner")


def train_cli(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="Config file, such as configs/elmo.cfg")],
    output: Annotated[Path, typer.Option(help="Folder for model-best and model-last")],
    corpus: Annotated[Path, typer.Option(help="Folder that `elmo corpus` wrote")] = Path("corpus"),
    share: Annotated[
        float,
        typer.Option(help="Percent of the train part to train on, drawn once and kept in --output"),
    ] = 100.0,
) -> None:
    """Train a pipeline with spaCy on the train and dev parts of a corpus folder.

    The same as `spacy train CONFIG --paths.train ... --paths.dev ...`, with a smaller budget of
    steps where the corpus is small. Settings of the config can be given as options, for
    instance --training.max_steps 1000; they win. At the end the probabilities of the pipes are
    calibrated on the dev part, as `elmo calibrate` does. With --share, for a learning curve, the
    budget of steps stays that of the whole: a smaller part is passed over more often.
    """
    try:
        overrides = corpus_overrides(corpus, config)
        if share != 100:
            overrides["paths.train"] = str(write_share(corpus / "train.spacy", share, output))
        overrides |= parse_config_overrides(context.args)
        ours = has_our_pipes(config)
        make_output_folder(output)
    except (OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    if "training.max_steps" in overrides:
        msg.info(f"Training for {overrides['training.max_steps']} steps at most")
    if ours:
        keep_freed_memory()
    train(config, output, overrides=overrides)
    for name in ("model-best", "model-last"):
        found = calibrate_folder(output / name, Path(overrides["paths.dev"]))
        if found:  # a baseline has none of our pipes
            msg.divider(f"Calibration of {name}")
            show(found)


def has_our_pipes(config: Path) -> bool:
    """Has the config a pipe of this package, for whose training memory is kept?

    A baseline's is left alone: kept, that of a fine-tuned transformer grew by the 47 MB gradient of
    its embeddings at every step, as glibc seldom finds room for an aligned block (memalign) where
    one was freed.
    """
    components = load_config(config).get("components", {})
    return any(one.get("factory") in OUR_PIPES for one in components.values())


def corpus_overrides(corpus: Path, config: Path) -> dict[str, Any]:
    """What a corpus folder changes in a config: its paths and, if it is small, the budget.

    Raises FileNotFoundError for a folder that `elmo corpus` did not write.
    """
    description = corpus / "corpus.json"
    if not description.is_file():
        raise FileNotFoundError(Errors.EL501.format(path=description))
    overrides: dict[str, Any] = {
        "paths.train": str(corpus / "train.spacy"),
        "paths.dev": str(corpus / "dev.spacy"),
    }
    n_tokens = json.loads(description.read_text(encoding="utf8"))["parts"]["train"]["tokens"]
    if n_tokens < SMALL_CORPUS_TOKENS:
        overrides |= SMALL_CORPUS
        learn_rate = load_config(config)["training"]["optimizer"]["learn_rate"]
        if isinstance(learn_rate, dict) and "total_steps" in learn_rate:
            steps = SMALL_CORPUS["training.max_steps"]
            overrides["training.optimizer.learn_rate.total_steps"] = steps
    return overrides
