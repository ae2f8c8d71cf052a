"""Walk documents in compiled code, where it was built and transitions are those of BIO labels.

numpy takes a dozen calls for each token of a sentence; `walks.c` takes one for all documents.
Results are those of `viterbi.py` and `marginals.py`, up to rounding in sums.
"""

import ctypes
from functools import cache
from typing import Any

import numpy as np

from ..libraries import library_beside
from .bio_transitions import BIOTransitions
from .reductions import Floats, Ints
from .transitions import Transitions

# Tests set this to False to walk in numpy.
enabled = True


class _Walk(ctypes.Structure):
    """Mirrors `struct walk` of walks.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_docs", "n_types")),
        *((name, ctypes.c_void_p) for name in ("lengths", "scores")),
        *((name, ctypes.c_void_p) for name in ("outside", "leave", "enter")),
        *((name, ctypes.c_void_p) for name in ("inside", "start", "end")),
        *((name, ctypes.c_void_p) for name in ("forward", "backward")),
        *((name, ctypes.c_void_p) for name in ("totals", "before", "path")),
    )


def fit(transitions: Transitions) -> bool:
    """Return whether documents with these transitions can be walked in compiled code."""
    return enabled and isinstance(transitions, BIOTransitions) and _library() is not None


class Walk:
    """Walks the documents of a batch, each alone and in its order."""

    def __init__(self, scores: Floats, lengths: Ints, transitions: Transitions) -> None:
        """Take scores (n_tokens, n_labels) of documents with lengths (n_docs,)."""
        assert isinstance(transitions, BIOTransitions)
        assert scores.shape == (lengths.sum(), transitions.n_labels)
        # Kept, as the library gets their addresses.
        self._arrays: dict[str, Any] = {
            "scores": np.ascontiguousarray(scores),
            "lengths": np.ascontiguousarray(lengths),
            **{name: getattr(transitions, name) for name in _TRANSITIONS},
        }
        self._sizes = {"n_docs": len(lengths), "n_types": transitions.n_types}

    def best(self) -> tuple[Ints, Floats]:
        """Return the best label ids (n_tokens,), and their sequences' scores (n_docs,)."""
        shape = self._arrays["scores"].shape
        path = np.empty(shape[0], dtype=np.int64)
        before = np.empty(shape, dtype=np.int32)
        totals = self._run("walk_best", forward=np.empty(shape), before=before, path=path)
        return path, totals

    def forward(self) -> tuple[Floats, Floats]:
        """Return log-sums over what leads up to labels, (n_tokens, n_labels), and (n_docs,)."""
        forward = np.empty(self._arrays["scores"].shape)
        return forward, self._run("walk_forward", forward=forward)

    def backward(self) -> Floats:
        """Return log-sums over what may follow labels, (n_tokens, n_labels)."""
        backward = np.empty(self._arrays["scores"].shape)
        self._run("walk_backward", backward=backward)
        return backward

    def _run(self, name: str, **results: Any) -> Floats:
        totals = np.empty(self._sizes["n_docs"])
        arrays = {**self._arrays, **results, "totals": totals}
        addresses = {field: array.ctypes.data for field, array in arrays.items()}
        getattr(_library(), name)(ctypes.byref(_Walk(**self._sizes, **addresses)))
        return totals


_TRANSITIONS = ("outside", "leave", "enter", "inside", "start", "end")


@cache
def _library() -> ctypes.CDLL | None:
    return library_beside(__file__, "_walks")
