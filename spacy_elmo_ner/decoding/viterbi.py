"""The best sequence of labels (Viterbi 1967)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .lattice import Lattice, check_possible


def viterbi(
    emissions: ArrayLike,
    lengths: ArrayLike,
    transitions: ArrayLike,
    start: ArrayLike,
    end: ArrayLike | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Best label ids (n_tokens,) int64 and their sequences' scores (n_docs,) float64.

    emissions: (n_tokens, n_labels), document after document; lengths: (n_docs,) int.
    transitions: (n_labels, n_labels), [from, to]; start, end: (n_labels,), no end means zeros.
    -inf forbids. The score of a sequence is the sum of all of these along it; that of a document
    without tokens is 0. Of equally good sequences the one with the lowest last label wins, then
    the lowest before it, and so on.

    Raises ValueError for other shapes, NaN or +inf, or a document without a possible sequence.
    """
    lattice = Lattice.of(emissions, lengths, transitions, start, end)
    best = lattice.scores.copy()  # (n_labels, n_tokens): of the sequences that end there
    best[:, lattice.first] += lattice.start[:, None]
    for previous, current in lattice.steps:
        extended = best[:, None, previous] + lattice.transitions[:, :, None]  # [from, to, doc]
        best[:, current] += extended.max(axis=0)
    final = best[:, lattice.last] + lattice.end[:, None]
    scores = lattice.per_doc(final.max(axis=0))
    check_possible(scores, Errors.EL158)

    # Walk back. The best predecessor is found again only for the labels that are on the path,
    # from the same sums as above, so it is the same one.
    path = np.empty(len(lattice.rows), dtype=np.int64)
    path[lattice.last] = final.argmax(axis=0)
    for previous, current in reversed(lattice.steps):
        path[previous] = (best[:, previous] + lattice.transitions[:, path[current]]).argmax(axis=0)
    return path[lattice.columns], scores
