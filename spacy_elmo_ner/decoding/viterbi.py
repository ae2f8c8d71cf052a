"""The best sequence of labels (Viterbi 1967)."""

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .lattice import Lattice, check_possible
from .reductions import Floats, Ints
from .relay import relay, relay_scores
from .transitions import Transitions


def viterbi(
    emissions: ArrayLike, lengths: ArrayLike, transitions: Transitions
) -> tuple[Ints, Floats]:
    """Best label ids (n_tokens,) int64 and their sequences' scores (n_docs,) float64.

    emissions: (n_tokens, n_labels), document after document; lengths: (n_docs,) int.
    -inf forbids. The score of a sequence is the sum of emissions and transitions along it; that of
    a document without tokens is 0. Of equally good sequences the one with the lowest last label
    wins, then the lowest before it, and so on.

    Raises ValueError for other shapes, NaN or +inf, or a document without a possible sequence.
    """
    return run_viterbi(Lattice.of(emissions, lengths, transitions))


def run_viterbi(lattice: Lattice) -> tuple[Ints, Floats]:
    """`viterbi` of a lattice."""
    transitions = lattice.transitions
    best = np.empty_like(lattice.scores)  # (n_labels, n_tokens): of the sequences that end there

    def run(pieces: Ints, behind: Floats) -> None:
        best[:, pieces] = lattice.scores[:, pieces] + behind
        for previous, current in lattice.steps(pieces):
            before = transitions.best_before(best[:, previous])
            best[:, current] = lattice.scores[:, current] + before

    def hand_on(pieces: Ints) -> Floats:
        return transitions.best_before(best[:, lattice.piece_ends[pieces]])

    offsets = relay_scores(lattice, False, lattice.begins, run, hand_on)
    final = best[:, lattice.last] + transitions.end_scores[:, None]
    scores = lattice.per_doc(final.max(axis=0) + offsets[lattice.pieces[lattice.last]])
    check_possible(scores, Errors.EL158)

    path = np.empty(len(lattice.rows), dtype=np.int64)
    predecessor = transitions.predecessors(best)

    def walk_back(pieces: Ints, last: Ints) -> None:
        path[lattice.piece_ends[pieces]] = last
        for previous, current in reversed(lattice.steps(pieces)):
            path[previous] = predecessor(previous, path[current])

    def hand_back(pieces: Ints) -> Ints:
        return predecessor(lattice.piece_ends[lattice.before[pieces]], path[pieces])

    last = best[:, lattice.piece_ends].argmax(axis=0)
    last[lattice.pieces[lattice.last]] = final.argmax(axis=0)
    relay(lattice.after, last, walk_back, hand_back)
    return path[lattice.columns], scores
