"""Save a pipeline so that its folder holds either the old one or the new one, complete."""

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language

from ..files import atomic_folder


def save_pipeline(nlp: Language, folder: str | Path, *, exclude: Iterable[str] = ()) -> None:
    """Save like ``nlp.to_disk``, but as an `atomic_folder`.

    The old pipeline stays until all of the new one is on the disk. Raises OSError if it cannot be
    written; what was there before stays.
    """
    with atomic_folder(folder) as staged:
        nlp.to_disk(staged, exclude=exclude)
