"""The n best sequences of labels (list Viterbi: Seshadri and Sundberg 1994)."""

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .lattice import Lattice, check_possible
from .reductions import Floats, Ints, best_first
from .transitions import Transitions


def k_best(
    n: int, emissions: ArrayLike, lengths: ArrayLike, transitions: Transitions
) -> tuple[Ints, Floats]:
    """Label ids (n, n_tokens) int64 and scores (n, n_docs) float64, best sequence first.

    Other arguments, shapes and errors as in `viterbi`, whose answer is the first row. Where a
    document has fewer possible sequences than n the rest score -inf, and their ids say nothing;
    a document without tokens has one. Of equally good sequences the order is viterbi's; in long
    documents sums are rounded in another order than there, so that may decide between them.
    Raises ValueError for n below 1.
    """
    if n < 1:
        raise ValueError(Errors.EL167.format(n=n))
    lattice = Lattice.of(emissions, lengths, transitions, in_pieces=False)
    n_labels, n_tokens = lattice.scores.shape
    # best[label, k]: of the sequences that end there the one of rank k. A predecessor is kept as
    # one number, label * n + rank.
    best = np.full((n_labels, n, n_tokens), -np.inf)
    predecessor = np.zeros((n_labels, n, n_tokens), dtype=np.int64)
    start, end = transitions.start_scores, transitions.end_scores
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
