"""The n best sequences of labels (list Viterbi: Seshadri and Sundberg 1994)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .lattice import Lattice, check_possible


def k_best(
    n: int,
    emissions: ArrayLike,
    lengths: ArrayLike,
    transitions: ArrayLike,
    start: ArrayLike,
    end: ArrayLike | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Label ids (n, n_tokens) int64 and scores (n, n_docs) float64, best sequence first.

    Other arguments, shapes and errors as in `viterbi`, whose answer is the first row. Where a
    document has fewer possible sequences than n the rest score -inf, and their ids say nothing;
    a document without tokens has one. Of equally good sequences the order is viterbi's; in long
    documents sums are rounded in another order than there, so that may decide between them.
    Raises ValueError for n below 1.
    """
    if n < 1:
        raise ValueError(Errors.EL167.format(n=n))
    lattice = Lattice.of(emissions, lengths, transitions, start, end, in_pieces=False)
    n_labels, n_tokens = lattice.scores.shape
    # best[label, k]: of the sequences that end there the one of rank k. A predecessor is kept as
    # one number, label * n + rank.
    best = np.full((n_labels, n, n_tokens), -np.inf)
    predecessor = np.zeros((n_labels, n, n_tokens), dtype=np.int64)
    best[:, 0, lattice.first] = lattice.scores[:, lattice.first] + lattice.start[:, None]
    for previous, current in lattice.steps():
        extended = best[:, :, None, previous] + lattice.transitions[:, None, :, None]
        order, scores = _best_first(extended.reshape(n_labels * n, n_labels, -1), n)
        predecessor[:, :, current] = order.swapaxes(0, 1)
        best[:, :, current] = scores.swapaxes(0, 1) + lattice.scores[:, None, current]
    final = best[:, :, lattice.last] + lattice.end[:, None, None]
    state, final_scores = _best_first(final.reshape(n_labels * n, -1), n)  # (n, n_docs)
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


def _best_first(
    scores: NDArray[np.float64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places and values of the n highest along the first axis; of equals the lower place."""
    order = np.argsort(-scores, axis=0, kind="stable")[:n]
    return order, np.take_along_axis(scores, order, axis=0)
