"""The compiled kernels in a benchmark: used or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from spacy_elmo_ner.elmo import kernels


@contextmanager
def cells(*, compiled: bool) -> Iterator[None]:
    """Run with the compiled kernels, or on torch alone. Models made inside keep what they got."""
    if compiled and kernels.library() is None:
        raise SystemExit("The kernels were not built: pip install -e . needs a C compiler.")
    before = kernels.enabled
    kernels.enabled = compiled
    try:
        yield
    finally:
        kernels.enabled = before
