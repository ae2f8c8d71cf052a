"""Forward-backward in log space: the partition function, and exact probabilities of tokens' labels,
of pairs of labels, and of spans (Lafferty et al. 2001; Culotta and McCallum 2004)."""

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
    def _log_posterior(self) -> NDArray[np.float64]:
        """(n_labels, n_tokens) in the lattice's columns."""
        joint = self.forward + self.backward
        # Divided by each column's own sum, not by the partition function: the same number, but
        # here rounding does not grow with the length of the document.
        return joint - log_sum_exp(joint.copy())

    def of_labels(self) -> NDArray[np.float64]:
        """P(label of token): (n_tokens, n_labels) float64."""
        return np.exp(self._log_posterior.T[self.lattice.columns])

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

    def of_spans(
        self, starts: ArrayLike, ends: ArrayLike, begin: ArrayLike, inside: ArrayLike
    ) -> NDArray[np.float64]:
        """P(the span is exactly an entity of its type): (n_spans,) float64.

        starts, ends: (n_spans,) int64, tokens counted over the whole batch, ends exclusive.
        begin, inside: (n_spans,) int64, the ids of the type's labels B-x and I-x.
        That is the probability of B-x, then I-x up to the end, then anything but I-x or the end
        of the document. Raises ValueError for a span that is not within one document.
        """
        first, after = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
        begins, insides = np.asarray(begin, dtype=np.int64), np.asarray(inside, dtype=np.int64)
        column = self.lattice.columns
        ends_doc = np.zeros(len(column) + 1, dtype=bool)
        ends_doc[self.lattice.rows[self.lattice.last]] = True
        self._check_spans(first, after, ends_doc)
        lengths = after - first
        # The labels are a Markov chain: multiply by the probability of each next label given
        # the one before. No difference of large log-sums is ever taken.
        log_p = self._log_posterior[begins, column[first]] if len(first) else np.zeros(0)
        for k in range(1, int(lengths.max(initial=0))):
            longer = np.flatnonzero(lengths > k)
            before = begins[longer] if k == 1 else insides[longer]
            token = first[longer] + k - 1
            here, there = column[token], column[token + 1]
            log_p[longer] += self._log_next(before, insides[longer], here, there)
        inner = np.flatnonzero(~ends_doc[after - 1])
        before = np.where(lengths[inner] == 1, begins[inner], insides[inner])
        token = after[inner] - 1
        goes_on = self._log_next(before, insides[inner], column[token], column[token + 1])
        probability = np.exp(log_p)
        probability[inner] *= -np.expm1(goes_on)
        return probability

    def _log_next(
        self,
        before: NDArray[np.int64],
        after: NDArray[np.int64],
        here: NDArray[np.int64],
        there: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """log P(label `after` in column `there` | label `before` in column `here`), (n,)."""
        ahead = self.lattice.scores[after, there] + self.backward[after, there]
        one_way = self.lattice.transitions[before, after] + ahead
        all_ways = self.backward[before, here]
        all_ways = np.where(all_ways > -np.inf, all_ways, 0.0)  # -inf - -inf would be NaN
        return np.minimum(one_way - all_ways, 0.0)  # rounding may put it just above 0

    def _check_spans(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64], ends_doc: NDArray[np.bool_]
    ) -> None:
        wrong = (starts < 0) | (starts >= ends) | (ends >= len(ends_doc))
        if not wrong.any():
            docs_before: NDArray[np.int64] = np.cumsum(ends_doc) - ends_doc
            wrong = docs_before[starts] != docs_before[ends - 1]
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ValueError(Errors.EL164.format(start=starts[first], end=ends[first]))


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
    transitions = lattice.transitions[:, :, None]  # [from, to, doc]
    forward = lattice.scores.copy()
    forward[:, lattice.first] += lattice.start[:, None]
    for previous, current in lattice.steps:
        forward[:, current] += log_sum_exp(_add(forward[:, None, previous], transitions))
    final = forward[:, lattice.last] + lattice.end[:, None]
    log_partition = lattice.per_doc(log_sum_exp(final))

    transitions = np.ascontiguousarray(lattice.transitions.T)[:, :, None]  # [to, from, doc]
    backward = np.empty_like(forward)
    backward[:, lattice.last] = lattice.end[:, None]
    for previous, current in reversed(lattice.steps):
        ahead = lattice.scores[:, current] + backward[:, current]
        backward[:, previous] = log_sum_exp(_add(ahead[:, None, :], transitions))
    return Marginals(lattice, log_partition, forward, backward)


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
