"""``python -m spacy elmo curves``: draw how a pre-training went."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..errors import Errors
from ..pretraining.log import LOG_FILE

PICTURE_FILE = "curves.png"


def curves_cli(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Folders that `elmo pretrain` writes or wrote."),
    ],
) -> None:
    """Draw the training curves of pre-trainings, finished or still running.

    Loss (each point is the mean since the previous one), held-out perplexity and learning rate
    over the tokens read, as curves.png in each folder. Needs the extra "project".
    """
    try:
        for run in runs:
            msg.good(f"Wrote {draw_curves(run)}")
    except (ImportError, OSError, ValueError) as err:
        msg.fail(str(err), exits=1)


def draw_curves(run: Path) -> Path:
    """Write curves.png into the folder of a pre-training run and return its path.

    Raises ImportError (EL525) without matplotlib, FileNotFoundError (EL526) without a log,
    ValueError (EL319) for one that cannot be read or has no row.
    """
    # matplotlib belongs to the ``project`` extra: every other command works without it.
    try:
        from ..comparison.report.curves import read_training_log, training_charts
    except ImportError as err:
        raise ImportError(Errors.EL525.format(package=err.name)) from err
    from ..files import atomic_file

    log = run / LOG_FILE
    if not log.is_file():
        raise FileNotFoundError(Errors.EL526.format(path=log))
    chart = next(training_charts([read_training_log(log)]), None)
    if chart is None:
        raise ValueError(Errors.EL319.format(path=log, problem="it has no row yet"))
    picture = run / PICTURE_FILE
    with atomic_file(picture) as path:
        path.write_bytes(chart.png())
    return picture
