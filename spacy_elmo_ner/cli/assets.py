"""``python -m spacy elmo assets``: find or download the corpus that `corpus` works on."""

import os
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpus.gmb import CSV_NAME
from ..download import download
from ..errors import Errors
from ..files import make_output_folder

ENVIRONMENT_VARIABLE = "SPACY_ELMO_NER_GMB"
ARCHIVE_NAME = "entity-annotated-corpus.zip"
# One commit, so that the address always means the same file.
ARCHIVE_URL = (
    "https://raw.githubusercontent.com/SubhamIO/Named-Entity-Recognition-using-ELMo-BiLSTM/"
    f"794b5e841b2814042e34e83eb1913ed694ec344f/{ARCHIVE_NAME}"
)
ARCHIVE_SHA256 = "7d6939e761ca2097bc579b2dc123a73d8ce7c68f4a3e3eb71fea0c2231afc70e"
ARCHIVE_BYTES = 3_243_968

ASSETS = Path("assets/gmb")
_NAMES = (CSV_NAME, f"{CSV_NAME}.xz", ARCHIVE_NAME)


def find_gmb(csv: Path | None = None, folder: Path = ASSETS) -> Path | None:
    """Return the first of: csv, the environment variable's file, those in folder; None without one.

    Raises FileNotFoundError (EL201) where csv or the variable names a file that is not there.
    """
    named = csv or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(Errors.EL201.format(path=path))
        return path
    return next((path for name in _NAMES if (path := folder / name).is_file()), None)


def fetch_gmb(folder: Path) -> Path:
    """Download the published archive to folder.

    Raises OSError if it cannot be reached, ValueError (EL231) for another file than expected.
    """
    path = folder / ARCHIVE_NAME
    try:
        download(ARCHIVE_URL, path, ARCHIVE_BYTES, ARCHIVE_SHA256)
    except ValueError as err:
        message = Errors.EL231.format(
            url=ARCHIVE_URL, problem=err, name=ARCHIVE_NAME, folder=folder
        )
        raise ValueError(message) from err
    return path


def assets_cli(
    folder: Annotated[Path, typer.Argument(help="Folder to download the corpus to.")] = ASSETS,
) -> None:
    """Download the entity annotated corpus, unless it is there already.

    The command looks for it where the corpus command does. Without a network it says so and
    succeeds: the sample corpus takes its place.
    """
    try:
        path = find_gmb(folder=folder)
        if path is not None:
            msg.good(f"The corpus is already there: {path}")
            return
        make_output_folder(folder)
    except OSError as err:
        msg.fail(str(err), exits=1)
    try:
        path = fetch_gmb(folder)
    except ValueError as err:
        msg.fail(str(err), exits=1)
    except OSError as err:
        msg.warn(
            "Could not download the corpus: the sample corpus will be used.",
            f"{err}. To use the real one, put {CSV_NAME} or {ARCHIVE_NAME} into {folder} by hand.",
        )
        return
    msg.good(f"Downloaded the corpus to {path}")
