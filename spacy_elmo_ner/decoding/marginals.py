"""Forward-backward in log space: the partition function, and exact probabilities of tokens' labels
and of pairs of labels (Lafferty et al. 2001)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .lattice import Columns, Lattice, check_possible
from .relay import relay_scores


@dataclass(frozen=True)
class Marginals:
    """Probabilities under the distribution over all label sequences of each document.

    log_partition: (n_docs,) float64, log of the sum of exp(score) over sequences; 0 for a
    document without tokens.
    forward, backward: (n_labels, n_tokens) float64 in the lattice's columns: log-sums over what
    leads up to a label (its own score included), and over what may follow it.
    """

    lattice: Lattice
    log_partition: NDArray[np.float64]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]

    @cached_property
    def log_of_labels(self) -> NDArray[np.float64]:
        """(n_labels, n_tokens) in the lattice's columns."""
        # In columns, or numpy would sum a single column in another order than those of a batch.
        joint = np.asfortranarray(self.forward + self.backward)
        # Divided by each column's own sum, not by the partition function: the same number, but
        # here rounding does not grow with the length of the document.
        return joint - log_sum_exp(joint.copy(order="K"))

    def of_labels(self) -> NDArray[np.float64]:
        """P(label of token): (n_tokens, n_labels) float64."""
        return np.exp(self.log_of_labels.T[self.lattice.columns])

    def of_pairs(self) -> NDArray[np.float64]:
        """Expected number of times each transition is taken in the batch: (n_labels, n_labels)
        float64, [from, to]."""
        lattice = self.lattice
        ahead = lattice.scores + self.backward - self.log_partition[lattice.doc_of_columns]
        counts = np.zeros_like(lattice.transitions)
        for previous, current in [*lattice.steps(), lattice.seams]:
            pairs = self.forward[:, None, previous] + lattice.transitions[:, :, None]
            counts += np.exp(pairs + ahead[:, current]).sum(axis=2)
        return counts


def marginals(
    emissions: ArrayLike,
    lengths: ArrayLike,
    transitions: ArrayLike,
    start: ArrayLike,
    end: ArrayLike | None = None,
) -> Marginals:
    """Run forward-backward. Arguments, shapes and errors as in `viterbi`."""
    result = run_forward_backward(Lattice.of(emissions, lengths, transitions, start, end))
    check_possible(result.log_partition, Errors.EL158)
    return result


def run_forward_backward(lattice: Lattice) -> Marginals:
    """As `marginals`, but where a document has no possible sequence log_partition is -inf."""
    forward, log_partition = run_forward(lattice)
    transitions = np.ascontiguousarray(lattice.transitions.T)[:, :, None]  # [to, from, piece]
    backward = np.empty_like(forward)

    def run(pieces: NDArray[np.int64], ahead: NDArray[np.float64]) -> None:
        backward[:, lattice.piece_ends[pieces]] = ahead
        for previous, current in reversed(lattice.steps(pieces)):
            backward[:, previous] = ahead_of(current)

    def ahead_of(columns: Columns) -> NDArray[np.float64]:
        """For the tokens before these."""
        ahead = lattice.scores[:, columns] + backward[:, columns]
        return log_sum_exp(_add(ahead[:, None, :], transitions))

    ends = np.where(lattice.after < 0, lattice.end[:, None], 0.0)
    offsets = relay_scores(lattice, True, ends, run, ahead_of)
    if lattice.chains:
        backward += offsets[lattice.pieces]
    return Marginals(lattice, log_partition, forward, backward)


def run_forward(lattice: Lattice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`forward` and `log_partition` of `Marginals`; log_partition is -inf where a document has
    no possible sequence."""
    transitions = lattice.transitions[:, :, None]  # [from, to, piece]
    forward = np.empty_like(lattice.scores)

    def run(pieces: NDArray[np.int64], behind: NDArray[np.float64]) -> None:
        forward[:, pieces] = lattice.scores[:, pieces] + behind
        for previous, current in lattice.steps(pieces):
            forward[:, current] = lattice.scores[:, current] + behind_of(previous)

    def behind_of(columns: Columns) -> NDArray[np.float64]:
        """For the tokens after these."""
        return log_sum_exp(_add(forward[:, None, columns], transitions))

    def hand_on(pieces: NDArray[np.int64]) -> NDArray[np.float64]:
        return behind_of(lattice.piece_ends[pieces])

    offsets = relay_scores(lattice, False, lattice.begins, run, hand_on)
    if lattice.chains:
        forward += offsets[lattice.pieces]
    final = forward[:, lattice.last] + lattice.end[:, None]
    return forward, lattice.per_doc(log_sum_exp(final))


def log_sum_exp(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(sum(exp(scores))) over the first axis; -inf where all are. Overwrites `scores`."""
    highest = scores.max(axis=0)
    highest[highest == -np.inf] = 0.0  # -inf - -inf would be NaN
    scores -= highest
    np.exp(scores, out=scores)
    with np.errstate(divide="ignore"):  # log(0) is the -inf we want
        return np.log(scores.sum(axis=0)) + highest


def _add(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """a + b in C order, so that sums over the first axis always run in the same order."""
    return np.add(a, b, order="C")
