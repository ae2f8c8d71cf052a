"""Scores of a label after another: what every kind can do, and the kind that scores each pair."""

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
_T = TypeVar("_T", bound="Transitions")

Predecessors = Callable[[Columns, Ints], Ints]

# Scores held at once where pairs of labels are counted: 256 KB, which caches hold.
_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class Transitions(ABC):
    """Scores of a document's first label, of each label after another, and of its last label.

    -inf forbids. Scores of labels are arrays (n_labels, n_tokens) float64; "before" and "after"
    mean the neighbouring token. Sums run over the first axis in one order whatever the number of
    tokens, so that a token's results are the same bits in any batch. The fields of each kind are
    the parameters that a CRF learns.
    """

    @property
    @abstractmethod
    def n_labels(self) -> int: ...

    @property
    @abstractmethod
    def start_scores(self) -> Floats:
        """(n_labels,) float64: scores of a document's first label."""

    @property
    @abstractmethod
    def end_scores(self) -> Floats:
        """(n_labels,) float64: scores of a document's last label."""

    @property
    @abstractmethod
    def inside_scores(self) -> Floats:
        """(2, n_types) float64 for BIO labels: scores of I-x after B-x, and of I-x after I-x."""

    @abstractmethod
    def best_before(self, scores: Floats) -> Floats:
        """Return, per label, the maximum over the labels before of their score plus transition."""

    @abstractmethod
    def predecessors(self, scores: Floats) -> Predecessors:
        """Return a function from columns and a label in each to the label before that gave
        `best_before`; among equals the lowest. scores: those of all columns."""

    @abstractmethod
    def rank_before(self, scores: Floats, n: int) -> tuple[Ints, Floats]:
        """Return the n best labels and ranks before each label, best first.

        scores: (n_labels, n, n_tokens), of the n best sequences that end in each label, sorted.
        Returns (n, n_labels, n_tokens) int64, label * n + rank, and their scores plus transition.
        """

    @abstractmethod
    def log_sum_before(self, scores: Floats) -> Floats:
        """Return, per label, the log-sum over the labels before of their score plus transition."""

    @abstractmethod
    def log_sum_after(self, scores: Floats) -> Floats:
        """Return, per label, the log-sum over the labels after of their score plus transition."""

    @abstractmethod
    def expected_counts(
        self,
        before: Floats,
        after: Floats,
        first: Floats,
        last: Floats,
    ) -> dict[str, Floats]:
        """Return, per field, how often each of its scores is expected to be used.

        before, after: (n_labels, n_pairs), log-scores of the labels of tokens that follow each
        other, so that exp(before + transition + after) is a probability. first, last: (n_docs,
        n_labels), probabilities of the labels of each document's first and last token.
        """

    def over(self: _T, temperature: float) -> _T:
        """Return all scores divided by temperature."""
        names = [field.name for field in fields(self)]
        return replace(self, **{name: getattr(self, name) / temperature for name in names})

    def _check(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Make all fields float64. Raises ValueError for other shapes, NaN or +inf."""
        for name, shape in shapes.items():
            object.__setattr__(self, name, _scores(name, getattr(self, name), shape))


@dataclass(frozen=True, eq=False, init=False)
class FullTransitions(Transitions):
    """A score for each pair of labels. Steps take time quadratic in the number of labels.

    between: (n_labels, n_labels), [from, to]; start, end: (n_labels,), no end means zeros.
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
        return cls(np.zeros((n_labels, n_labels)), np.zeros(n_labels))

    @property
    def n_labels(self) -> int:
        return len(self.start)

    @property
    def start_scores(self) -> Floats:
        return self.start

    @property
    def end_scores(self) -> Floats:
        return self.end

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
        """(n_labels, n_labels, 1), [to, from]."""
        return np.ascontiguousarray(self.between.T)[:, :, None]

    def expected_counts(
        self,
        before: Floats,
        after: Floats,
        first: Floats,
        last: Floats,
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
