"""``python -m spacy elmo train``: run `spacy train` on a folder that `elmo corpus` wrote."""

from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.util import load_config
from spacy.vocab import Vocab
from wasabi import msg

from ..corpus.docbin import read_docbin, read_docs
from ..corpus.folder import write_share
from ..errors import Errors
from ..files import make_output_folder
from ..pipeline.calibration import calibrate_folder
from ..resources import find
from .calibrate import show
from .memory import keep_freed_memory
from .training_budget import budget
from .training_config import (
    complete_config,
    has_our_pipes,
    require_layers,
    require_paths,
    warn_of_layers,
)


def train_cli(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="Config file, such as configs/elmo.cfg")],
    output: Annotated[Path, typer.Option(help="Folder for model-best and model-last")],
    corpus: Annotated[
        Path, typer.Option(help="Folder that `elmo corpus` or `elmo init` wrote")
    ] = Path("corpus"),
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
        train_part, dev_part = corpus_parts(corpus)
        # Counted, because a corpus.json written by hand need not hold it.
        n_tokens = sum(map(len, read_docbin(train_part).tokens))
        changed = budget(config, given, n_tokens)
        if share != 100:
            train_part = write_share(train_part, share, output)
        overrides = {"paths.train": str(train_part), "paths.dev": str(dev_part)} | changed
        train_part, dev_part = (Path(overrides[f"paths.{part}"]) for part in ("train", "dev"))
        require_layers(settings, read_docs(train_part, Vocab()), train_part)
        warn_of_layers(settings, read_docs(dev_part, Vocab()), dev_part)
        make_output_folder(output)
    except (OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    if "training.max_steps" in overrides:
        msg.info(f"Training for {overrides['training.max_steps']} steps at most")
    elif overrides.get("training.max_epochs"):
        msg.info(f"Training for {overrides['training.max_epochs']} passes at most")
    if has_our_pipes(settings):
        keep_freed_memory()
    train(config, output, overrides=overrides)
    for name in ("model-best", "model-last"):
        calibrations = calibrate_folder(output / name, dev_part)
        if calibrations:  # a baseline has none of our pipes
            msg.divider(f"Calibration of {name}")
            show(calibrations, dev_part)


def corpus_parts(folder: Path) -> tuple[Path, Path]:
    """Return the train and dev parts of a corpus folder.

    Raises FileNotFoundError (EL501) for a folder that `elmo corpus` did not write.
    """
    parts = folder / "train.spacy", folder / "dev.spacy"
    # corpus.json is written last: without it, the parts may be of two corpora.
    for path in (folder / "corpus.json", *parts):
        if not path.is_file():
            raise FileNotFoundError(Errors.EL501.format(path=path))
    return parts
