"""Saving a pipeline so that its folder holds the old one or the new one, whole."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language

from ..files import sync


def save_pipeline(nlp: Language, folder: str | Path, *, exclude: Iterable[str] = ()) -> None:
    """Like ``nlp.to_disk``, which writes over the files of a pipeline that is there.

    This one writes beside it and takes its place when all is on the disk. Stopped in the instant
    between two renames, the old one stands beside as ``.NAME.old``, and saving again makes all
    good. Raises OSError where it cannot be written; what was there before stays.
    """
    folder = Path(folder)
    staged, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    shutil.rmtree(staged, ignore_errors=True)
    try:
        nlp.to_disk(staged, exclude=exclude)
        for path in staged.rglob("*"):
            if path.is_file():
                sync(path)
        try:
            _replace(folder, staged, old)
        except KeyboardInterrupt:  # an instant later one of both is in place
            _replace(folder, staged, old)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def _replace(folder: Path, staged: Path, old: Path) -> None:
    """Can be called again where it was stopped."""
    if not staged.exists():
        return
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    try:
        staged.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
