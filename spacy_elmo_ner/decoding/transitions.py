"""Score a label after another: the interface, and the kind that has a score for each pair."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .reductions import Floats, Ints, best_first, log_sum_exp

Columns = slice | Ints
Predecessors = Callable[[Columns, Ints], Ints]

_T = TypeVar("_T", bound="Transitions")

# Scores held at once where pairs of labels are counted: 256 KB, which caches hold.
_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class Transitions(ABC):
    """Scores a document's first label, each label after another, and its last label.

    -inf forbids. The fields of each kind are the parameters that a CRF learns. Methods take and
    return scores of labels, (n_labels, n_tokens) float64; "before" and "after" refer to the
    neighbouring token. They sum over the first axis in an order that does not depend on the
    number of tokens, so a token's results are the same bits in any batch.
    """

    end: Floats  # scores of a document's last label, (n_labels,)

    @property
    @abstractmethod
    def n_labels(self) -> int:
        """Return the number of labels."""

    @property
    @abstractmethod
    def start_scores(self) -> Floats:
        """Return the scores of a document's first label, (n_labels,) float64."""

    @property
    @abstractmethod
    def inside_scores(self) -> Floats:
        """Return the scores of I-x after B-x and after I-x in BIO, (2, n_types) float64."""

    @abstractmethod
    def best_before(self, scores: Floats) -> Floats:
        """Return the maximum over the labels before each label, of their score plus transition."""

    @abstractmethod
    def predecessors(self, scores: Floats) -> Predecessors:
        """Return a function that finds the label before, as `best_before` has chosen it.

        scores: of all tokens. The function takes columns and a label for each; among equally good
        labels it returns the lowest.
        """

    @abstractmethod
    def rank_before(self, scores: Floats, n: int) -> tuple[Ints, Floats]:
        """Return the n best of the sequences before each label, best first.

        scores: (n_labels, n, n_tokens), of the n best sequences that end in each label, by rank.
        Returns their states, label * n + rank, (n, n_labels, n_tokens) int64, and their scores
        plus transition.
        """

    @abstractmethod
    def log_sum_before(self, scores: Floats) -> Floats:
        """Return the log-sum over the labels before each label, of their score plus transition."""

    @abstractmethod
    def log_sum_after(self, scores: Floats) -> Floats:
        """Return the log-sum over the labels after each label, of their score plus transition."""

    @abstractmethod
    def expected_counts(
        self, before: Floats, after: Floats, first: Floats, last: Floats
    ) -> dict[str, Floats]:
        """Return how often each score is expected to be used, in arrays like the fields.

        before, after: (n_labels, n_pairs), log-scores of labels of neighbouring tokens, such that
        exp(before + transition + after) is a probability. first, last: (n_docs, n_labels),
        probabilities of the labels of each document's first and last token.
        """

    def over(self: _T, temperature: float) -> _T:
        """Return all scores divided by temperature."""
        names = [field.name for field in fields(self)]
        return replace(self, **{name: getattr(self, name) / temperature for name in names})

    def _check(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Convert all fields to float64. Raises ValueError for other shapes, NaN or +inf."""
        for name, shape in shapes.items():
            object.__setattr__(self, name, _scores(name, getattr(self, name), shape))


@dataclass(frozen=True, eq=False, init=False)
class FullTransitions(Transitions):
    """Has a score for each pair of labels: time is quadratic in the number of labels.

    between: (n_labels, n_labels), [from, to]; start, end: (n_labels,), end defaults to zeros.
    Raises ValueError for other shapes, NaN or +inf.
    """

    between: Floats
    start: Floats
    end: Floats

    def __init__(self, between: ArrayLike, start: ArrayLike, end: ArrayLike | None = None) -> None:
        n = len(np.asarray(start))
        object.__setattr__(self, "between", between)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", np.zeros(n) if end is None else end)
        self._check({"between": (n, n), "start": (n,), "end": (n,)})

    @classmethod
    def zeros(cls, n_labels: int) -> "FullTransitions":
        """Make transitions that all score 0."""
        return cls(np.zeros((n_labels, n_labels)), np.zeros(n_labels))

    @property
    def n_labels(self) -> int:
        return len(self.start)

    @property
    def start_scores(self) -> Floats:
        return self.start

    @property
    def inside_scores(self) -> Floats:
        inside = np.arange(2, self.n_labels, 2)
        return np.stack([self.between[inside - 1, inside], self.between[inside, inside]])

    def best_before(self, scores: Floats) -> Floats:
        return np.maximum.reduce(scores[:, None] + self.between[:, :, None], axis=0)

    def predecessors(self, scores: Floats) -> Predecessors:
        # The same sums as in `best_before`, so the same label, but only for the labels asked for.
        return lambda columns, labels: (scores[:, columns] + self.between[:, labels]).argmax(axis=0)

    def rank_before(self, scores: Floats, n: int) -> tuple[Ints, Floats]:
        extended = scores[:, :, None] + self.between[:, None, :, None]
        return best_first(extended.reshape(-1, *extended.shape[2:]), n)

    def log_sum_before(self, scores: Floats) -> Floats:
        return log_sum_exp(np.add(scores[:, None], self.between[:, :, None], order="C"))

    def log_sum_after(self, scores: Floats) -> Floats:
        return log_sum_exp(np.add(scores[:, None], self._reversed, order="C"))

    @cached_property
    def _reversed(self) -> Floats:
        """Return the scores as (n_labels, n_labels, 1), [to, from]."""
        return np.ascontiguousarray(self.between.T)[:, :, None]

    def expected_counts(
        self, before: Floats, after: Floats, first: Floats, last: Floats
    ) -> dict[str, Floats]:
        counts = np.zeros_like(self.between)
        n_columns = max(1, _BLOCK // counts.size)
        for at in range(0, before.shape[1], n_columns):
            block = slice(at, at + n_columns)
            pairs = before[:, None, block] + self.between[:, :, None]
            pairs += after[:, block]
            counts += np.exp(pairs, out=pairs).sum(axis=2)
        return {"between": counts, "start": first.sum(axis=0), "end": last.sum(axis=0)}


def _scores(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    scores = np.asarray(value, dtype=np.float64)
    problem = None
    if scores.shape != shape:
        problem = "does not fit the others"
    elif (np.isnan(scores) | (scores == np.inf)).any():
        problem = "holds NaN or +inf"
    if problem:
        raise ValueError(
            Errors.EL157.format(name=name, shape=scores.shape, problem=problem, expected=shape)
        )
    return np.ascontiguousarray(scores)
