"""Forward-backward in log space: the partition function, and exact probabilities of tokens' labels
and of pairs of labels (Lafferty et al. 2001)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .lattice import Lattice, check_possible


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
        joint = self.forward + self.backward
        # Divided by each column's own sum, not by the partition function: the same number, but
        # here rounding does not grow with the length of the document.
        return joint - log_sum_exp(joint.copy())

    def of_labels(self) -> NDArray[np.float64]:
        """P(label of token): (n_tokens, n_labels) float64."""
        return np.exp(self.log_of_labels.T[self.lattice.columns])

    def of_pairs(self) -> NDArray[np.float64]:
        """Expected number of times each transition is taken in the batch: (n_labels, n_labels)
        float64, [from, to]."""
        log_partition = self.log_partition[self.lattice.docs]
        ahead = self.lattice.scores + self.backward
        counts = np.zeros_like(self.lattice.transitions)
        for previous, current in self.lattice.steps:
            n_active = current.stop - current.start
            pairs = self.forward[:, None, previous] + self.lattice.transitions[:, :, None]
            pairs += ahead[:, current] - log_partition[:n_active]
            counts += np.exp(pairs).sum(axis=2)
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
    transitions = np.ascontiguousarray(lattice.transitions.T)[:, :, None]  # [to, from, doc]
    backward = np.empty_like(forward)
    backward[:, lattice.last] = lattice.end[:, None]
    for previous, current in reversed(lattice.steps):
        ahead = lattice.scores[:, current] + backward[:, current]
        backward[:, previous] = log_sum_exp(_add(ahead[:, None, :], transitions))
    return Marginals(lattice, log_partition, forward, backward)


def run_forward(lattice: Lattice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`forward` and `log_partition` of `Marginals`; log_partition is -inf where a document has
    no possible sequence."""
    transitions = lattice.transitions[:, :, None]  # [from, to, doc]
    forward = lattice.scores.copy()
    forward[:, lattice.first] += lattice.start[:, None]
    for previous, current in lattice.steps:
        forward[:, current] += log_sum_exp(_add(forward[:, None, previous], transitions))
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
