"""Find the best sequence of labels (Viterbi 1967), or the n best (Seshadri and Sundberg 1994)."""

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .lattice import Lattice, check_possible
from .pieces import run_pieces, run_scored_pieces
from .reductions import Floats, Ints, best_first
from .transitions import Transitions


def viterbi(
    emissions: ArrayLike, lengths: ArrayLike, transitions: Transitions
) -> tuple[Ints, Floats]:
    """Return the best label ids (n_tokens,) int64 and their sequences' scores (n_docs,) float64.

    emissions: (n_tokens, n_labels), document after document; lengths: (n_docs,) int.
    -inf forbids. The score of a sequence is the sum of emissions and transitions along it; a
    document without tokens scores 0. Of equally good sequences the one with the lowest last label
    wins, then the lowest label before it, and so on.

    Raises ValueError for other shapes, NaN or +inf, or a document without a possible sequence.
    """
    return run_viterbi(Lattice.of(emissions, lengths, transitions))


def run_viterbi(lattice: Lattice) -> tuple[Ints, Floats]:
    """Run `viterbi` on a lattice."""
    if lattice.in_order:
        path, scores = lattice.walk.best()
        check_possible(scores, Errors.EL158)
        return path, scores
    transitions = lattice.transitions
    best = np.empty_like(lattice.scores)  # (n_labels, n_tokens): best sequence that ends there

    def run(pieces: Ints, behind: Floats) -> None:
        best[:, pieces] = lattice.scores[:, pieces] + behind
        for previous, current in lattice.steps(pieces):
            before = transitions.best_before(best[:, previous])
            best[:, current] = lattice.scores[:, current] + before

    def hand_on(pieces: Ints) -> Floats:
        return transitions.best_before(best[:, lattice.piece_ends[pieces]])

    offsets = run_scored_pieces(lattice, False, lattice.begins, run, hand_on)
    final = best[:, lattice.last] + transitions.end[:, None]
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
    run_pieces(lattice.after, last, walk_back, hand_back)
    return path[lattice.columns], scores


def k_best(
    n: int, emissions: ArrayLike, lengths: ArrayLike, transitions: Transitions
) -> tuple[Ints, Floats]:
    """Return label ids (n, n_tokens) int64 and scores (n, n_docs) float64, best sequence first.

    Other arguments, shapes and errors are those of `viterbi`, whose answer is the first row. If a
    document has fewer than n possible sequences, the remaining rows score -inf and their ids have
    no meaning; a document without tokens has one. Equally good sequences are ordered as in
    `viterbi`; in long documents sums are rounded in another order, which may decide between them.
    Raises ValueError for n below 1.
    """
    if n < 1:
        raise ValueError(Errors.EL167.format(n=n))
    lattice = Lattice.of(emissions, lengths, transitions, in_pieces=False)
    n_labels, n_tokens = lattice.scores.shape
    # best[label, k]: score of the sequence of rank k of those that end there. A predecessor is
    # stored as one number, label * n + rank.
    best = np.full((n_labels, n, n_tokens), -np.inf)
    predecessor = np.zeros((n_labels, n, n_tokens), dtype=np.int64)
    start, end = transitions.start_scores, transitions.end
    best[:, 0, lattice.first] = lattice.scores[:, lattice.first] + start[:, None]
    for previous, current in lattice.steps():
        order, scores = transitions.rank_before(best[:, :, previous], n)
        predecessor[:, :, current] = order.swapaxes(0, 1)
        best[:, :, current] = scores.swapaxes(0, 1) + lattice.scores[:, None, current]
    final = best[:, :, lattice.last] + end[:, None, None]
    state, final_scores = best_first(final.reshape(n_labels * n, -1), n)  # (n, n_docs)
    check_possible(lattice.per_doc(final_scores[0]), Errors.EL158)

    states = np.zeros((n, n_tokens), dtype=np.int64)
    states[:, lattice.last] = state
    for previous, current in reversed(lattice.steps()):
        label, rank = np.divmod(states[:, current], n)
        states[:, previous] = predecessor[label, rank, np.arange(n_tokens)[current]]
    result = np.full((n, lattice.n_docs), -np.inf)
    result[0] = 0.0  # a document without tokens has one sequence, which is empty
    result[:, lattice.docs] = final_scores
    return (states // n)[:, lattice.columns], result
