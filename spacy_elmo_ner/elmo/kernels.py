"""The compiled kernels: find them, load them and call them.

They are a library of plain C functions that is built when the package is installed, where there is
a C compiler. Without it everything runs on torch alone. Kernels run without Python's lock.
"""

import ctypes
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor

# Benchmarks and tests set this to False to run on torch alone.
enabled = True

_MOST_THREADS = 16  # MOST_PARTS of parts.h


def available() -> bool:
    """Whether there are kernels."""
    return enabled and library() is not None


def available_for_training() -> bool:
    """Whether there are kernels for training, whose products are those of AVX512-BF16."""
    return available() and torch.cpu._is_avx512_bf16_supported() and _has_training()


def call(name: str, arguments: ctypes.Structure) -> int:
    """Run a kernel; returns what it returns. Raises MemoryError (-1) where it got no memory."""
    kernels = library()
    assert kernels is not None
    result = _function(kernels, name)(ctypes.byref(arguments))
    if result < 0:
        raise MemoryError(name)
    return result


def threads() -> int:
    """Parts that work is dealt out to, each in a thread of its own."""
    return min(_MOST_THREADS, torch.get_num_threads())


def pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


@cache
def library() -> ctypes.CDLL | None:
    """The library beside this file, None where it was not built or is for another system."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernels{suffix}")
        if path.exists():
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                return None
    return None


@cache
def _has_training() -> bool:
    return hasattr(library(), "lstm_forward")


def _function(kernels: ctypes.CDLL, name: str) -> "ctypes._NamedFuncPointer":
    function = getattr(kernels, name)
    function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_void_p]
    return function
