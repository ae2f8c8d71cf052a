"""Find the OpenMP that torch runs on, to share its threads or to do without them.

A parallel region ends when its last thread has ended. Where other processes keep the cores busy,
that is a time slice for every region, several milliseconds, however small its work.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let what this thread asks of torch run on this thread alone; other threads keep theirs.

    Changes nothing where torch does not run on OpenMP.
    """
    before = torch.get_num_threads()  # also lets torch set up a thread that is new
    library = _library() if before > 1 else None
    if library is None:
        yield
        return
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)


def team() -> Any:
    """Return `GOMP_parallel` of the OpenMP that torch runs on, or None: see parts.c."""
    return getattr(_library(), "GOMP_parallel", None)


@cache
def _library() -> ctypes.CDLL | None:
    folder = Path(torch.__file__).parent
    for path in (*folder.glob("lib/lib*omp*"), *folder.parent.glob("torch.libs/lib*omp*")):
        try:
            # RTLD_NOLOAD: only what torch has loaded; a second OpenMP would have its own threads.
            library = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            library.omp_set_num_threads  # noqa: B018
            return library
        except (OSError, AttributeError):
            continue
    return None
