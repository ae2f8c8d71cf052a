"""Load the package's compiled libraries: plain C functions, built where there is a C compiler."""

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def library_beside(file: str, name: str) -> ctypes.CDLL | None:
    """Load a library from a module's folder; None if it was not built or is for another system."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(file).with_name(f"{name}{suffix}")
        if path.exists():
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                return None
    return None
