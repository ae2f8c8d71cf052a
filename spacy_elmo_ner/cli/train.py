"""``python -m spacy elmo train``: run `spacy train` on a folder that `elmo corpus` wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.util import load_config
from spacy.vocab import Vocab
from thinc.api import Config
from wasabi import msg

from ..corpus.docbin import read_docbin, read_docs
from ..corpus.folder import write_share
from ..errors import Errors
from ..files import make_output_folder
from ..pipeline.calibration import calibrate_folder
from ..resources import find
from .calibrate import show
from .memory import keep_freed_memory
from .training_config import (
    complete_config,
    has_our_pipes,
    require_layers,
    require_paths,
    warn_of_layers,
)

# The configs' budgets are meant for hundreds of thousands of tokens. A corpus smaller than this
# is passed over many times instead, for as many steps as it takes to learn it.
SMALL_CORPUS_TOKENS = 100_000
# A config that asks for no more steps than these keeps its budget.
MOST_STEPS_OF_SMALL_CORPORA = 1000
_TOTAL_STEPS = "training.optimizer.learn_rate.total_steps"
SMALL_CORPUS = {
    "training.max_epochs": 0,
    "training.max_steps": 250,
    "training.eval_frequency": 50,
}


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
    instance --training.max_steps 1000; they win, and a learning rate that ends with the steps still
    does. At the end the probabilities of the pipes are
    calibrated on the dev part, as `elmo calibrate` does. With --share, for a learning curve, the
    budget of steps stays that of the whole: a smaller part is passed over more often.
    """
    try:
        config = complete_config(find(config), output)
        given = parse_config_overrides(context.args)
        settings = load_config(config, overrides=given)
        require_paths(settings, given)
        overrides = corpus_overrides(corpus, settings, given)
        if share != 100:
            overrides["paths.train"] = str(write_share(corpus / "train.spacy", share, output))
        overrides |= given | with_whole_schedule(load_config(config), given)
        train_part, dev_part = (Path(overrides[f"paths.{part}"]) for part in ("train", "dev"))
        require_layers(settings, read_docs(train_part, Vocab()), train_part)
        warn_of_layers(settings, read_docs(dev_part, Vocab()), dev_part)
        make_output_folder(output)
    except (OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    if "training.max_steps" in overrides:
        msg.info(f"Training for {overrides['training.max_steps']} steps at most")
    if has_our_pipes(settings):
        keep_freed_memory()
    train(config, output, overrides=overrides)
    for name in ("model-best", "model-last"):
        calibrations = calibrate_folder(output / name, dev_part)
        if calibrations:  # a baseline has none of our pipes
            msg.divider(f"Calibration of {name}")
            show(calibrations, dev_part)


def corpus_overrides(corpus: Path, config: Config, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a corpus folder changes in a config: its paths and, if it is small, the budget.

    given: settings of the config that are options, which win.
    Raises FileNotFoundError (EL501) for a folder that `elmo corpus` did not write, ValueError
    (EL322) for a train part that cannot be read.
    """
    # It is written last: without it, the parts may be of two corpora.
    description = corpus / "corpus.json"
    if not description.is_file():
        raise FileNotFoundError(Errors.EL501.format(path=description))
    train_part, dev_part = (corpus / f"{part}.spacy" for part in ("train", "dev"))
    for path in (train_part, dev_part):
        if not path.is_file():
            raise FileNotFoundError(Errors.EL501.format(path=path))
    overrides: dict[str, Any] = {"paths.train": str(train_part), "paths.dev": str(dev_part)}
    # Counted, because a corpus.json written by hand need not hold it.
    is_small = sum(map(len, read_docbin(train_part).tokens)) < SMALL_CORPUS_TOKENS
    if is_small and not is_for_small_corpora(config):
        overrides |= SMALL_CORPUS
        learn_rate = config["training"].get("optimizer", {}).get("learn_rate")
        has_end = isinstance(learn_rate, dict) and "total_steps" in learn_rate
        if has_end and "training.max_steps" not in given:
            overrides[_TOTAL_STEPS] = SMALL_CORPUS["training.max_steps"]
    return overrides


def with_whole_schedule(config: Config, given: Mapping[str, Any]) -> dict[str, Any]:
    """Let the learning rate reach its end with the last step where only the steps were given.

    config: as it is without what was given. Where its schedule is as long as its training, steps
    beyond would learn nothing, and with fewer the rate would stay high.
    """
    training = config["training"]
    schedule = training.get("optimizer", {}).get("learn_rate")
    steps = given.get("training.max_steps") or 0  # 0 is as many steps as max_epochs takes
    if steps <= 0 or not isinstance(schedule, dict) or _TOTAL_STEPS in given:
        return {}
    is_as_long = schedule.get("total_steps") == training.get("max_steps")
    return {_TOTAL_STEPS: steps} if is_as_long else {}


def is_for_small_corpora(config: Config) -> bool:
    """Tell whether the config's own budget is that of a small corpus, as in configs/ner.cfg."""
    return 0 < (config["training"].get("max_steps") or 0) <= MOST_STEPS_OF_SMALL_CORPORA
