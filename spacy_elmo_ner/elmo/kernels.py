"""Find, load and call the compiled kernels.

They are a library of plain C functions that is built when the package is installed, if there is a C
compiler. Without it everything runs on torch alone. Kernels run without Python's lock.
"""

import ctypes
import os
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..libraries import library_beside
from . import openmp

# Benchmarks and tests set this to False to run on torch alone.
enabled = True

BFLOAT16 = 3  # kinds of kernels from here on have products of bfloat16
_MOST_THREADS = 16  # MOST_PARTS of parts.h


def available() -> bool:
    """Return whether there are kernels."""
    return enabled and library() is not None


def available_for_training() -> bool:
    """Return whether there are kernels for training, whose products are those of AVX512-BF16."""
    return available() and multiplies_bfloat16() and _has_training()


@cache
def multiplies_bfloat16() -> bool:
    """Return whether this CPU has products of bfloat16 (AVX512-BF16 or AMX).

    Elsewhere they are emulated, up to 14 times slower than float32.
    """
    has = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return has and not _limit() & {"SSE41", "AVX", "AVX2", "AVX512_CORE"}


def training_dtype() -> torch.dtype:
    """Return the dtype of training's matrix products: bfloat16 where the CPU has them."""
    return torch.bfloat16 if multiplies_bfloat16() else torch.float32


def kind_of_cpu() -> int:
    """Return 2 with AVX-512, 1 with AVX2 and FMA, 0 on other CPUs; needs `available`."""
    most = 0 if _limit() & {"SSE41", "AVX"} else 1 if _limit() & {"AVX2"} else 2
    return min(most, _function("prediction_kind")(None))


def prediction_kind(dtype: torch.dtype) -> int | None:
    """Return the kind of kernel that predicts with products of this dtype; None for torch's.

    In bfloat16 that is 4 where products run in AMX's tiles, and 3 where AVX-512 has them.
    """
    if not available():
        return None
    if dtype == torch.float32:
        return kind_of_cpu()
    if dtype != torch.bfloat16 or not multiplies_bfloat16():
        return None
    _ask_for_tiles()
    kind: int = _function("prediction_kind")(None)
    return kind if kind >= BFLOAT16 else None


# What oneDNN calls CPUs whose products do not run in AMX's tiles.
_WITHOUT_TILES = {
    *("SSE41", "AVX", "AVX2", "AVX512_CORE", "AVX512_CORE_BF16"),
    *("AVX512_CORE_FP16", "AVX10_1_512"),  # two names for one
}


@cache
def _limit() -> set[str]:
    """Read what oneDNN is told to do without: one variable makes all products an older CPU's."""
    name = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
    return {name.removesuffix("_VNNI").removesuffix("_2")}


def call(name: str, arguments: ctypes.Structure) -> int:
    """Run a kernel; returns what it returns. Raises MemoryError (-1) where it got no memory."""
    result = _function(name)(ctypes.byref(arguments))
    if result < 0:
        raise MemoryError(name)
    return result


def threads() -> int:
    """Return how many parts work is divided into, at most one per thread."""
    return min(_MOST_THREADS, torch.get_num_threads())


def pointer(tensor: Tensor | None) -> int | None:
    """Return the address of a tensor's values; None for no tensor."""
    return None if tensor is None else tensor.data_ptr()


@cache
def library() -> ctypes.CDLL | None:
    """Load the library beside this file; None if it was not built or is for another system."""
    kernels = library_beside(__file__, "_kernels")
    if kernels is not None:
        kernels.parts_use_team(ctypes.cast(openmp.team(), ctypes.c_void_p))
    return kernels


@cache
def _has_training() -> bool:
    _ask_for_tiles()
    return torch.cpu._is_avx512_bf16_supported() and hasattr(library(), "lstm_forward")


def use_tiles(wanted: bool) -> bool:
    """Let products of bfloat16 run in AMX's tiles from now on, or not; return whether they do."""
    return bool(_function("use_tiles")(ctypes.byref(ctypes.c_int64(wanted))))


@cache
def _ask_for_tiles() -> None:
    """Use tiles where there are any. Asked for late: they make threads' saved state larger."""
    use_tiles(not _limit() & _WITHOUT_TILES)


@cache
def _function(name: str) -> Any:
    function = getattr(library(), name)
    function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_void_p]
    return function
