"""``python -m spacy elmo calibrate``: calibrate the probabilities of a trained pipeline."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..errors import Errors
from ..pipeline.calibration import calibrate_folder
from ..pipeline.temperature import Calibration


def calibrate_cli(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline")],
    dev: Annotated[
        Path, typer.Option(help="Annotated .spacy file that the pipeline was not trained on")
    ],
) -> None:
    """Calibrate probabilities on the dev part: of entities scored 0.8, about 80 % are right.

    Finds the temperature that makes the annotation of the dev part most likely when scores are
    divided by it, and writes it into the pipeline's folder. The best reading stays the same; only
    its confidence changes, which elmo_ner compares with its threshold. `elmo train` does this at
    its end.

    Example:

    python -m spacy elmo calibrate training/elmo/model-best --dev corpus/dev.spacy
    """
    try:
        calibrations = calibrate_folder(pipeline, dev)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    if not calibrations:
        msg.fail(Errors.EL521.format(path=pipeline, do="calibrate"), exits=1)
    if not any(calibrations.values()):
        layers = "entities or tags with the pipeline's labels"
        msg.fail(Errors.EL324.format(path=dev, layers=layers, do="calibrate on"), exits=1)
    show(calibrations, dev)


def show(calibrations: dict[str, Calibration | None], dev: Path) -> None:
    """Print the temperatures, and which pipes keep theirs because dev has no gold for them."""
    for name, calibration in calibrations.items():
        if calibration is None:
            msg.warn(f"{name} is not calibrated: {dev} has no annotation with its labels")
    rows = [
        (
            name,
            f"{calibration.temperature:.3f}",
            f"{calibration.before:.4f}",
            f"{calibration.after:.4f}",
        )
        for name, calibration in calibrations.items()
        if calibration is not None
    ]
    if not rows:
        return
    msg.table(
        rows,
        header=("Pipe", "Temperature", "Loss before", "after (nats a token)"),
        aligns=("l", "r", "r", "r"),
        divider=True,
    )
