"""Compiled kernels: found, loaded and called."""

import ctypes
import hashlib
import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

HERE = Path(__file__).parent
FOLDER = Path(os.path.expanduser("~/.cache/spacy-elmo-ner/kernels"))
SOURCES = ("lstm_training.c", "char_cnn.c", "softmax.c")
_FLAGS = (
    "-O3 -march=native -std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=fast "
    "-shared -fPIC -pthread"
)
_MOST_THREADS = 16


def available() -> bool:
    """Whether there are kernels for this CPU."""
    return torch.cpu._is_avx512_bf16_supported() and _library() is not None


def call(name: str, arguments: ctypes.Structure) -> int:
    """Run a kernel, without Python's lock."""
    library = _library()
    assert library is not None
    function = getattr(library, name)
    function.restype = ctypes.c_int64
    return function(ctypes.byref(arguments))


def threads() -> int:
    """Parts that work is dealt out to, each in a thread of its own."""
    return min(_MOST_THREADS, torch.get_num_threads())


def pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


@cache
def _library() -> ctypes.CDLL | None:
    sources = [HERE / name for name in SOURCES if (HERE / name).exists()]
    content = b"".join(path.read_bytes() for path in (HERE / "kernels.h", *sources))
    path = FOLDER / f"kernels-{hashlib.sha256(content).hexdigest()[:16]}.so"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [*shlex.split(os.environ.get("CC", "cc")), *_FLAGS.split(), *map(str, sources)]
        temporary = path.with_suffix(f".{os.getpid()}")
        try:
            subprocess.run([*command, "-o", str(temporary), "-lm"], check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        temporary.replace(path)
    return ctypes.CDLL(str(path))
