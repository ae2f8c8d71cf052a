"""``python -m spacy elmo combine``: make one pipeline of several that differ by their seed."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.pipelines import bytes_under
from ..errors import Errors
from ..pipeline.calibration import calibrate_folder
from ..pipeline.combine import combine_folders
from .calibrate import show
from .compact import SCORES


def combine_cli(
    pipelines: Annotated[
        list[Path], typer.Argument(help="Folders of pipelines trained alike, with other seeds")
    ],
    output: Annotated[Path, typer.Option(help="Folder to write; an existing one is replaced")],
    dev: Annotated[
        Path | None,
        typer.Option(help="Annotated .spacy file to calibrate the result, and to score all on"),
    ] = None,
) -> None:
    """Make a committee: one pipeline whose scores are the mean of several.

    Pipelines that were trained by the same config on the same corpus, but with another
    training.seed each, make other mistakes; the mean of their scores makes fewer. Where they listen
    to an elmo pipe, the biLM runs once for all of them, and only the heads run side by side.
    Without --dev the temperature is the mean of theirs: see `elmo calibrate`.

    Example:

    python -m spacy elmo combine training/0/model-best training/1/model-best training/2/model-best
    --output training/committee --dev corpus/dev.spacy
    """
    try:
        if dev is not None and not dev.is_file():
            raise FileNotFoundError(Errors.EL520.format(path=dev))
        scores = combine_folders(pipelines, output, dev)
        calibrations = {} if dev is None else calibrate_folder(output, dev)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    msg.good(f"Wrote {output}: {bytes_under(output) / 1e6:.1f} MB")
    if dev is None:
        return
    names = [name for name in SCORES if scores[output].get(name) is not None]
    rows = [
        [str(path), *(f"{100 * found[name]:.2f}" for name in names)]
        for path, found in scores.items()
    ]
    msg.table(rows, header=["", *names], aligns=["l", *("r" for _ in names)], divider=True)
    show(calibrations, dev)
