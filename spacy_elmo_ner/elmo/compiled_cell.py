"""An LSTM's cell compiled for the CPU at hand: optional, and the same numbers in less time.

`lstm_cell.c` does in one pass over memory what takes torch a dozen. It is compiled only when a user
asks for it (``python -m spacy elmo compile``) and found from then on; without it everything runs
on torch alone.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import Errors
from ..files import atomic_file

SOURCE = Path(__file__).with_name("lstm_cell.c")
FOLDER = Path(os.path.expanduser("~/.cache/spacy-elmo-ner/compiled"))
# Comparisons with NaN and exact rounding stay as they are written: no -ffast-math.
_FLAGS = (
    "-O3 -march=native -std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=fast "
    "-fopenmp -shared -fPIC"
)
_NAMES = {torch.float32: "float", torch.bfloat16: "half"}
_UNBOUNDED = float("inf")
_POINTER, _COUNT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
_FORWARD = [_POINTER, _COUNT, _COUNT, *[_POINTER] * 4, _FLOAT, ctypes.c_int]
_BACKWARD = [_POINTER, _COUNT, _COUNT, *[_POINTER] * 5, _FLOAT, ctypes.c_int]
_CELL = [_POINTER, _COUNT, _COUNT, _POINTER, _POINTER, _FLOAT, ctypes.c_int]
_OUTPUT = [_POINTER, *[_COUNT] * 3, _FLOAT, _FLOAT, _POINTER, _POINTER, _COUNT]


class CompiledCell:
    """What `TorchCell` does, in compiled code; float32 or bfloat16 products."""

    def __init__(self, library: ctypes.CDLL, dtype: torch.dtype) -> None:
        self._cell = _function(library, f"lstm_cell_{_NAMES[dtype]}", _CELL)
        self._output = _function(library, f"lstm_output_{_NAMES[dtype]}", _OUTPUT)

    def hidden(
        self, gates: Tensor, n: int, cells: Tensor, hidden: Tensor, clip: float | None
    ) -> None:
        self._cell(
            gates.data_ptr(),
            n,
            cells.shape[1],
            cells.data_ptr(),
            hidden.data_ptr(),
            _UNBOUNDED if clip is None else clip,
            torch.get_num_threads(),
        )

    def hand_on(
        self,
        hidden: Tensor,
        n: int,
        outputs: Tensor,
        next_states: Tensor,
        scale: float,
        clip: float | None,
    ) -> None:
        self._output(
            hidden.data_ptr(),
            n,
            next_states.shape[0],
            outputs.shape[1],
            scale,
            _UNBOUNDED if clip is None else clip,
            outputs.data_ptr(),
            next_states.data_ptr(),
            next_states.stride(0),
        )


class CompiledTrainingCell:
    """What `TorchTrainingCell` does, in compiled code; hidden: the type of hidden states."""

    def __init__(self, library: ctypes.CDLL, dtype: torch.dtype, hidden: torch.dtype) -> None:
        name = f"{_NAMES[dtype]}_{_NAMES[hidden]}"
        self._forward = _function(library, f"lstm_forward_{name}", _FORWARD)
        self._backward = _function(library, f"lstm_backward_{name}", _BACKWARD)

    def forward(
        self,
        step: Tensor,
        gates: Tensor,
        before: Tensor,
        cells: Tensor,
        hidden: Tensor,
        clip: float | None,
    ) -> None:
        self._forward(
            step.data_ptr(),
            *cells.shape,
            gates.data_ptr(),
            before.data_ptr(),
            cells.data_ptr(),
            hidden.data_ptr(),
            _UNBOUNDED if clip is None else clip,
            torch.get_num_threads(),
        )

    def backward(
        self,
        gates: Tensor,
        before: Tensor,
        cells: Tensor,
        d_hidden: Tensor,
        d_cells: Tensor,
        d_gates: Tensor,
        clip: float | None,
    ) -> None:
        self._backward(
            gates.data_ptr(),
            *cells.shape,
            before.data_ptr(),
            cells.data_ptr(),
            d_hidden.data_ptr(),
            d_cells.data_ptr(),
            d_gates.data_ptr(),
            _UNBOUNDED if clip is None else clip,
            torch.get_num_threads(),
        )


def compile_cell(folder: Path | None = None) -> Path:
    """Compile the cell with the C compiler named by the variable CC, or ``cc``; returns its file.

    Raises OSError (EL020) where there is no compiler or it fails.
    """
    path = _path(folder or FOLDER)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        command = [*compiler, *_FLAGS.split(), str(SOURCE), "-o", str(temporary), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as err:
            raise OSError(Errors.EL020.format(command=compiler[0], problem=err)) from err
        if done.returncode:
            problem = done.stderr.strip() or f"exit status {done.returncode}"
            raise OSError(Errors.EL020.format(command=compiler[0], problem=problem))
    _cell.cache_clear()
    _training_cell.cache_clear()
    return path


def compiled_cell(dtype: torch.dtype, folder: Path | None = None) -> CompiledCell | None:
    """The cell, if it was compiled on this machine for this version of the package."""
    return _cell(_path(folder or FOLDER), dtype)


def compiled_training_cell(
    dtype: torch.dtype, hidden: torch.dtype, folder: Path | None = None
) -> CompiledTrainingCell | None:
    """The same for training; hidden: the type of hidden states, dtype or float32."""
    return _training_cell(_path(folder or FOLDER), dtype, hidden)


def _function(library: ctypes.CDLL, name: str, arguments: Sequence[Any]) -> Any:
    function = getattr(library, name)
    function.argtypes, function.restype = arguments, None
    return function


@lru_cache
def _cell(path: Path, dtype: torch.dtype) -> CompiledCell | None:
    library = _library(path)
    return CompiledCell(library, dtype) if library and dtype in _NAMES else None


@lru_cache
def _training_cell(
    path: Path, dtype: torch.dtype, hidden: torch.dtype
) -> CompiledTrainingCell | None:
    library = _library(path)
    return CompiledTrainingCell(library, dtype, hidden) if library and dtype in _NAMES else None


def _library(path: Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(path))
    except OSError:  # not compiled, or for another system
        return None


@lru_cache
def _path(folder: Path) -> Path:
    """Where the cell of this source, on this kind of CPU, is or would be."""
    made_of = [SOURCE.read_text(encoding="utf8"), _FLAGS, sys.platform, _cpu()]
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()
    return folder / f"lstm_cell-{digest[:16]}.so"


def _cpu() -> str:
    """What decides which instructions there are: a home folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
