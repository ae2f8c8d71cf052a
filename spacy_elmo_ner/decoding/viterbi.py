"""The best sequence of labels (Viterbi 1967)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .lattice import Columns, Lattice, check_possible
from .relay import relay, relay_scores


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
    between = lattice.transitions[:, :, None]  # [from, to, piece]
    best = np.empty_like(lattice.scores)  # (n_labels, n_tokens): of the sequences that end there

    def run(pieces: NDArray[np.int64], behind: NDArray[np.float64]) -> None:
        best[:, pieces] = lattice.scores[:, pieces] + behind
        for previous, current in lattice.steps(pieces):
            extended = best[:, None, previous] + between
            best[:, current] = lattice.scores[:, current] + extended.max(axis=0)

    def hand_on(pieces: NDArray[np.int64]) -> NDArray[np.float64]:
        return (best[:, None, lattice.piece_ends[pieces]] + between).max(axis=0)

    offsets = relay_scores(lattice, False, lattice.begins, run, hand_on)
    final = best[:, lattice.last] + lattice.end[:, None]
    scores = lattice.per_doc(final.max(axis=0) + offsets[lattice.pieces[lattice.last]])
    check_possible(scores, Errors.EL158)

    # Walk back. The best predecessor is found again only for the labels that are on the path,
    # from the same sums as above, so it is the same one.
    path = np.empty(len(lattice.rows), dtype=np.int64)

    def predecessor(columns: Columns, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return (best[:, columns] + lattice.transitions[:, labels]).argmax(axis=0)

    def walk_back(pieces: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        path[lattice.piece_ends[pieces]] = last
        for previous, current in reversed(lattice.steps(pieces)):
            path[previous] = predecessor(previous, path[current])

    def hand_back(pieces: NDArray[np.int64]) -> NDArray[np.int64]:
        return predecessor(lattice.piece_ends[lattice.before[pieces]], path[pieces])

    last = best[:, lattice.piece_ends].argmax(axis=0)
    last[lattice.pieces[lattice.last]] = final.argmax(axis=0)
    relay(lattice.after, last, walk_back, hand_back)
    return path[lattice.columns], scores
