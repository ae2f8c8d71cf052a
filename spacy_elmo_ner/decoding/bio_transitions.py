"""Score a BIO label after another in parts, so that time is linear in the number of types."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .reductions import Floats, Ints, best_first, log_sum_exp
from .transitions import Columns, Predecessors, Transitions

# Columns whose predecessors are looked up at once hold about this many scores: 1 MB.
_BLOCK = 1 << 17


@dataclass(frozen=True, eq=False)
class BIOTransitions(Transitions):
    """Scores the transitions between BIO labels "O", "B-x", "I-x", "B-y", "I-y", ...

    Any label may be followed by "O" or any B-x, and B-x and I-x also by I-x. Each of these
    transitions has its own score, except from one entity directly to the next: that score is a
    part for the label that ends plus a part for the type that begins. So all B-x share one sum,
    and one maximum, over the entities' labels before them.

    outside: (n_types + 1,): "O" to "O", and to each B-x.
    leave: (2 * n_types, 2): B-x, I-x, B-y, ... to "O", and its part of the score to any B-.
    enter: (n_types,): the part of B-x in the score after an entity.
    inside: (2 * n_types,): B-x to I-x, I-x to I-x, B-y to I-y, ...
    start: (n_types + 1,): "O" and each B-x as a document's first label; end: (n_labels,).
    Raises ValueError for other shapes, NaN or +inf.
    """

    outside: Floats
    leave: Floats
    enter: Floats
    inside: Floats
    start: Floats
    end: Floats

    def __post_init__(self) -> None:
        self._check(shapes(len(np.asarray(self.enter))))

    @classmethod
    def zeros(cls, n_types: int) -> "BIOTransitions":
        """Make transitions that score 0 where they are valid BIO."""
        return cls(**{name: np.zeros(shape) for name, shape in shapes(n_types).items()})

    @property
    def n_types(self) -> int:
        """Return the number of entity types."""
        return len(self.enter)

    @property
    def n_labels(self) -> int:
        return 1 + 2 * self.n_types

    @cached_property
    def start_scores(self) -> Floats:
        scores = np.full(self.n_labels, -np.inf)
        scores[0], scores[1::2] = self.start[0], self.start[1:]
        return scores

    @property
    def inside_scores(self) -> Floats:
        return self.inside.reshape(-1, 2).T

    # Two ways lead to each label: to "O" and B-x from "O" or from the entities' labels, whose
    # scores are one maximum or sum, and to I-x from B-x or from I-x. The lower label comes first,
    # and wins among equals.

    @cached_property
    def _ways(self) -> Ints:
        """Return the rows of both ways, (2 * n_labels,), in the scores with two rows appended."""
        ways = np.zeros((2, self.n_labels), dtype=np.int64)
        ways[1, 0], ways[1, 1::2] = self.n_labels, self.n_labels + 1
        ways[0, 2::2] = np.arange(1, self.n_labels, 2)
        ways[1, 2::2] = np.arange(2, self.n_labels, 2)
        return ways.ravel()

    @cached_property
    def _way_scores(self) -> Floats:
        scores = np.zeros((2, self.n_labels, 1))
        scores[0, 0, 0], scores[0, 1::2, 0] = self.outside[0], self.outside[1:]
        scores[1, 1::2, 0] = self.enter
        scores[:, 2::2, 0] = self.inside_scores
        return scores

    @cached_property
    def _leave(self) -> Floats:
        return self.leave[:, :, None]

    @cached_property
    def _next(self) -> Floats:
        """Return scores of "O" and each B-x after "O", and after an entity: (n_types + 1, 2, 1)."""
        after_entity = np.concatenate([[-np.inf], self.enter])  # "O" is reached by `leave` alone
        return np.stack([self.outside, after_entity], axis=1)[:, :, None]

    # Three ways lead on from an entity's label: to "O", to any B-x, whose scores are one sum, and
    # to its I-x. From "O" all are one sum.

    @cached_property
    def _not_inside(self) -> Ints:
        """Return the ids of "O" and each B-x, (n_types + 1,)."""
        return np.asarray([0, *range(1, self.n_labels, 2)])

    @cached_property
    def _ways_on(self) -> Ints:
        ways = np.zeros((3, self.n_labels), dtype=np.int64)
        ways[0, 0], ways[1, 1:] = self.n_labels, self.n_labels + 1
        ways[2, 1:] = np.arange(2, self.n_labels, 2).repeat(2)
        return ways.ravel()

    @cached_property
    def _way_on_scores(self) -> Floats:
        scores = np.full((3, self.n_labels, 1), -np.inf)
        scores[0, 0] = 0.0
        scores[:2, 1:, 0] = self.leave.T
        scores[2, 1:, 0] = self.inside
        return scores

    def _both_ways(self, scores: Floats, left: Floats) -> Floats:
        """Return the scores of both ways to each label, (2, n_labels, n_tokens).

        left: (2, n_tokens), the maximum or sum over the entities' labels to "O" and to any B-.
        """
        ways = np.concatenate((scores, left)).take(self._ways, axis=0)
        ways = ways.reshape(2, self.n_labels, -1)
        ways += self._way_scores
        return ways

    def _best_left(self, scores: Floats) -> Floats:
        return np.maximum.reduce(scores[1:, None] + self._leave, axis=0, initial=-np.inf)

    def best_before(self, scores: Floats) -> Floats:
        first, second = self._both_ways(scores, self._best_left(scores))
        return np.maximum(first, second, out=first)

    def predecessors(self, scores: Floats) -> Predecessors:
        table = np.empty(scores.shape, dtype=np.int32)
        first_way = self._ways[: self.n_labels, None]
        n_columns = max(1, _BLOCK // self.n_labels)
        for at in range(0, scores.shape[1], n_columns):
            block = slice(at, at + n_columns)
            here = scores[:, block]
            first, second = self._both_ways(here, self._best_left(here))
            second_way = np.tile(np.arange(self.n_labels)[:, None], here.shape[1])
            if self.n_types:
                left = 1 + (here[1:, None] + self._leave).argmax(axis=0)
                second_way[0], second_way[1::2] = left
            table[:, block] = np.where(second > first, second_way, first_way)
        return _Lookup(table)

    def rank_before(self, scores: Floats, n: int) -> tuple[Ints, Floats]:
        n_ranks, n_tokens = scores.shape[1:]
        order = np.empty((n, self.n_labels, n_tokens), dtype=np.int64)
        best = np.empty((n, self.n_labels, n_tokens))
        left = scores[1:, :, None] + self.leave[:, None, :, None]
        left = left.reshape(2 * self.n_types * n_ranks, 2, n_tokens)
        outside = scores[0]
        to_outside = np.concatenate([outside + self.outside[0], left[:, 0]])
        order[:, 0], best[:, 0] = best_first(to_outside, n)
        if not self.n_types:
            return order, best
        # "O" comes first, as the lowest label, then the n best that all B- share.
        shared_order, shared = best_first(left[:, 1], n)
        from_ranks = np.broadcast_to(np.arange(n_ranks)[:, None], outside.shape)
        states = np.concatenate([from_ranks, shared_order + n_ranks])
        to_begin = np.concatenate(
            [
                outside[:, None] + self.outside[1:, None],
                shared[:, None] + self.enter[:, None],
            ]
        )
        chosen, best[:, 1::2] = best_first(to_begin, n)
        order[:, 1::2] = np.take_along_axis(states[:, None], chosen, axis=0)
        # The states of I-x directly follow those of B-x, as their rows do in this array.
        to_inside = np.concatenate(
            [
                scores[k::2].swapaxes(0, 1) + inside[:, None]
                for k, inside in zip((1, 2), self.inside_scores, strict=True)
            ]
        )
        chosen, best[:, 2::2] = best_first(to_inside, n)
        order[:, 2::2] = chosen + n_ranks * np.arange(1, self.n_labels, 2)[:, None]
        return order, best

    def log_sum_before(self, scores: Floats) -> Floats:
        left = log_sum_exp(np.add(scores[1:, None], self._leave, order="C"))
        return np.logaddexp.reduce(self._both_ways(scores, left), axis=0)

    def log_sum_after(self, scores: Floats) -> Floats:
        not_inside = scores.take(self._not_inside, axis=0)[:, None]
        entered = log_sum_exp(np.add(not_inside, self._next, order="C"))
        ways = np.concatenate((scores, entered)).take(self._ways_on, axis=0)
        ways = ways.reshape(3, self.n_labels, -1)
        ways += self._way_on_scores
        return np.logaddexp.reduce(ways, axis=0)

    def expected_counts(
        self, before: Floats, after: Floats, first: Floats, last: Floats
    ) -> dict[str, Floats]:
        not_inside, entities = after[self._not_inside], before[1:]
        go_on = np.repeat(after[2::2], 2, axis=0) + self.inside[:, None]
        to_outside, to_begin = self.leave.T[:, :, None]
        entered = log_sum_exp(not_inside[1:] + self.enter[:, None])
        left = log_sum_exp(entities + to_begin)
        return {
            "outside": _total(before[0] + self.outside[:, None] + not_inside),
            "leave": np.stack(
                [_total(entities + to_outside + after[0]), _total(entities + to_begin + entered)],
                axis=1,
            ),
            "enter": _total(left + self.enter[:, None] + not_inside[1:]),
            "inside": _total(entities + go_on),
            "start": first.sum(axis=0)[self._not_inside],
            "end": last.sum(axis=0),
        }


@dataclass(frozen=True)
class _Lookup:
    """Looks up the label before a label in a table, (n_labels, n_tokens) int32."""

    table: NDArray[np.int32]

    def __call__(self, columns: Columns, labels: Ints) -> Ints:
        if isinstance(columns, slice):
            columns = np.arange(columns.start, columns.stop)
        return self.table[labels, columns].astype(np.int64)


def shapes(n_types: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each field, by name."""
    return {
        "outside": (n_types + 1,),
        "leave": (2 * n_types, 2),
        "enter": (n_types,),
        "inside": (2 * n_types,),
        "start": (n_types + 1,),
        "end": (2 * n_types + 1,),
    }


def _total(log_probabilities: Floats) -> Floats:
    return np.exp(log_probabilities).sum(axis=1)
