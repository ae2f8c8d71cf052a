"""The LSTM's cell in a benchmark: on torch alone, or compiled for the occasion."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from spacy_elmo_ner.elmo import compiled_cell


@contextmanager
def cells(*, compiled: bool) -> Iterator[None]:
    """What `elmo compile` has left on this machine does not matter."""
    before = compiled_cell.FOLDER
    compiled_cell.FOLDER = _folder() / ("cell" if compiled else "none")
    try:
        yield
    finally:
        compiled_cell.FOLDER = before


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    compiled_cell.compile_cell(folder / "cell")
    return folder
