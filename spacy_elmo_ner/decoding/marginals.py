"""Run forward-backward in log space (Lafferty et al. 2001).

It gives the partition function, and exact probabilities of labels and transitions.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .lattice import Lattice, check_possible
from .pieces import run_scored_pieces
from .reductions import Floats, Ints, log_sum_exp
from .transitions import Columns, Transitions


@dataclass(frozen=True)
class Marginals:
    """Holds probabilities under the distribution over all label sequences of each document.

    log_partition: (n_docs,) float64, log of the sum of exp(score) over sequences; 0 for a
    document without tokens.
    forward, backward: (n_labels, n_tokens) float64 in the lattice's columns: log-sums over the
    sequences that lead up to a label, its own score included, and over those that may follow it.
    """

    lattice: Lattice
    log_partition: Floats
    forward: Floats
    backward: Floats

    @cached_property
    def log_of_labels(self) -> Floats:
        """Return log-probabilities of labels, (n_labels, n_tokens) in the lattice's columns."""
        # In Fortran order, or numpy would sum a single column in another order than a batch's.
        joint = np.asfortranarray(self.forward + self.backward)
        # Divided by each column's own sum instead of the partition function: the same number, but
        # rounding does not grow with the length of the document.
        return joint - log_sum_exp(joint.copy(order="K"))

    def of_labels(self) -> Floats:
        """Return P(label of token), (n_tokens, n_labels) float64."""
        return np.exp(self.log_of_labels.T[self.lattice.columns])

    def of_transitions(self) -> dict[str, Floats]:
        """Return how often the batch is expected to use each score, per field of transitions."""
        lattice = self.lattice
        previous, current = lattice.pairs
        ahead = lattice.scores + self.backward - self.log_partition[lattice.doc_of_columns]
        of_ends = (
            np.exp(self.log_of_labels[:, columns].T) for columns in (lattice.first, lattice.last)
        )
        return lattice.transitions.expected_counts(
            self.forward[:, previous], ahead[:, current], *of_ends
        )


def marginals(emissions: ArrayLike, lengths: ArrayLike, transitions: Transitions) -> Marginals:
    """Run forward-backward. Arguments, shapes and errors are those of `viterbi`."""
    result = run_forward_backward(Lattice.of(emissions, lengths, transitions))
    check_possible(result.log_partition, Errors.EL158)
    return result


def run_forward_backward(lattice: Lattice) -> Marginals:
    """Run forward-backward on a lattice; a document without sequence has log_partition -inf."""
    forward, log_partition = run_forward(lattice)
    if lattice.in_order:
        return Marginals(lattice, log_partition, forward, lattice.walk.backward().T)
    backward = np.empty_like(forward)

    def run(pieces: Ints, ahead: Floats) -> None:
        backward[:, lattice.piece_ends[pieces]] = ahead
        for previous, current in reversed(lattice.steps(pieces)):
            backward[:, previous] = ahead_of(current)

    def ahead_of(columns: Columns) -> Floats:
        """Return log-sums for the tokens before these."""
        ahead = lattice.scores[:, columns] + backward[:, columns]
        return lattice.transitions.log_sum_after(ahead)

    offsets = run_scored_pieces(lattice, True, lattice.ends, run, ahead_of)
    if lattice.chains:
        backward += offsets[lattice.pieces]
    return Marginals(lattice, log_partition, forward, backward)


def run_forward(lattice: Lattice) -> tuple[Floats, Floats]:
    """Return `forward` and `log_partition` of `Marginals`, at half the cost."""
    if lattice.in_order:
        forward, log_partition = lattice.walk.forward()
        return forward.T, log_partition
    forward = np.empty_like(lattice.scores)

    def run(pieces: Ints, behind: Floats) -> None:
        forward[:, pieces] = lattice.scores[:, pieces] + behind
        for previous, current in lattice.steps(pieces):
            forward[:, current] = lattice.scores[:, current] + behind_of(previous)

    def behind_of(columns: Columns) -> Floats:
        """Return log-sums for the tokens after these."""
        return lattice.transitions.log_sum_before(forward[:, columns])

    def hand_on(pieces: Ints) -> Floats:
        return behind_of(lattice.piece_ends[pieces])

    offsets = run_scored_pieces(lattice, False, lattice.begins, run, hand_on)
    if lattice.chains:
        forward += offsets[lattice.pieces]
    final = forward[:, lattice.last] + lattice.transitions.end[:, None]
    return forward, lattice.per_doc(log_sum_exp(final))
