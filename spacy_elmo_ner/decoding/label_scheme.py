"""Entity types as BIO labels: which label may follow which, and spans to labels and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .bio_transitions import BIOTransitions
from .transitions import FullTransitions, Transitions

OUTSIDE = 0  # id of the label "O"


class Span(NamedTuple):
    """Tokens start to end - 1 of one document are an entity of type `label`."""

    start: int
    end: int
    label: str


class SpanArrays(NamedTuple):
    """Spans of a batch, in order. starts, ends, types: (n_spans,) int64.

    Positions count tokens over the whole batch; types are places in LabelScheme.entity_types.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    types: NDArray[np.int64]


@dataclass(frozen=True)
class LabelScheme:
    """BIO (IOB2) labels "O", "B-x", "I-x", "B-y", "I-y", ... in the order of `entity_types`.

    entity_types: for instance ["geo", "gpe"]; none at all leaves the label "O".
    Raises ValueError for a type that is empty, no str or given twice.
    """

    entity_types: Sequence[str]

    def __post_init__(self) -> None:
        types = tuple(self.entity_types)
        seen: set[str] = set()
        for index, value in enumerate(types):
            if not isinstance(value, str) or not value or value in seen:
                raise ValueError(Errors.EL151.format(value=value, index=index))
            seen.add(value)
        object.__setattr__(self, "entity_types", types)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return ("O", *(f"{prefix}-{one}" for one in self.entity_types for prefix in "BI"))

    @property
    def n_labels(self) -> int:
        return 1 + 2 * len(self.entity_types)

    @cached_property
    def start_allowed(self) -> NDArray[np.bool_]:
        """(n_labels,) bool: may a document begin with this label? Not with I-x."""
        allowed = np.ones(self.n_labels, dtype=bool)
        allowed[2::2] = False
        allowed.setflags(write=False)
        return allowed

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """(n_labels, n_labels) bool, [from, to]: I-x follows only B-x and I-x."""
        allowed = np.tile(self.start_allowed, (self.n_labels, 1))
        inside = np.arange(2, self.n_labels, 2)
        allowed[inside - 1, inside] = True
        allowed[inside, inside] = True
        allowed.setflags(write=False)
        return allowed

    def constrain(self, transitions: Transitions | None = None) -> Transitions:
        """Return the transitions with -inf for what BIO forbids. Without an argument, all that
        is allowed scores 0."""
        if transitions is None:
            return BIOTransitions.zeros(len(self.entity_types))
        if not isinstance(transitions, FullTransitions):
            return transitions  # the others cannot score what is forbidden
        return FullTransitions(
            np.where(self.allowed, transitions.between, -np.inf),
            np.where(self.start_allowed, transitions.start, -np.inf),
            transitions.end,
        )

    def block(self, emissions: ArrayLike, blocked: ArrayLike) -> NDArray[np.float64]:
        """A copy of emissions (n_tokens, n_labels) in which blocked tokens can only be "O".

        blocked: (n_tokens,) bool. Scores of their other labels become -inf, so every decoder
        keeps entities off them and every probability is one given that they are outside.
        """
        scores = np.array(emissions, dtype=np.float64)
        scores[np.asarray(blocked, dtype=bool), OUTSIDE + 1 :] = -np.inf
        return scores

    def read_spans(self, tag_ids: ArrayLike, lengths: ArrayLike) -> SpanArrays:
        """Spans of a batch of documents: tag_ids (n_tokens,), lengths (n_docs,).

        Any sequence can be read. An I-x that follows neither B-x nor I-x opens an entity, as
        in seqeval's default mode. Raises ValueError for an id that is no label.
        """
        ids = np.asarray(tag_ids)
        wrong = np.flatnonzero((ids < 0) | (ids >= self.n_labels))
        if len(wrong):
            token = int(wrong[0])
            raise ValueError(
                Errors.EL152.format(value=ids[token], token=token, highest=self.n_labels - 1)
            )
        ids = ids.astype(np.int64)
        sizes = np.asarray(lengths, dtype=np.int64)
        is_entity = ids != OUTSIDE
        types = (ids - 1) // 2  # "O" becomes -1
        is_inside = is_entity & (ids % 2 == 0)
        continues = np.zeros(len(ids) + 1, dtype=bool)  # one more: nothing follows the last
        continues[1:-1] = is_inside[1:] & (types[1:] == types[:-1])
        continues[np.cumsum(sizes)] = False  # no entity reaches into the next document
        starts = np.flatnonzero(is_entity & ~continues[:-1])
        ends = np.flatnonzero(is_entity & ~continues[1:]) + 1
        return SpanArrays(starts, ends, types[starts])

    def decode(self, tag_ids: ArrayLike) -> list[Span]:
        """Spans of one document, in order: tag_ids (n_tokens,). See `read_spans`."""
        spans = self.read_spans(tag_ids, [len(np.asarray(tag_ids))])
        rows = zip(*(column.tolist() for column in spans), strict=True)
        return [Span(start, end, self.entity_types[which]) for start, end, which in rows]

    def encode(self, spans: Iterable[tuple[int, int, str]], n_tokens: int) -> NDArray[np.int64]:
        """Label ids (n_tokens,) int64 of one document from (start, end, label).

        Raises ValueError for a span that is empty, reaches outside the document, overlaps
        another or has an unknown label.
        """
        ids = np.full(n_tokens, OUTSIDE, dtype=np.int64)
        for start, end, label in spans:
            problem = None
            if not 0 <= start < end <= n_tokens:
                problem = "it is empty or reaches outside the document"
            elif label not in self.entity_types:
                problem = "its label is unknown"
            elif (ids[start:end] != OUTSIDE).any():
                problem = "it overlaps an earlier one"
            if problem:
                raise ValueError(
                    Errors.EL153.format(
                        span=(start, end, label),
                        problem=problem,
                        n=n_tokens,
                        types=", ".join(self.entity_types),
                    )
                )
            begin = 1 + 2 * self.entity_types.index(label)
            ids[start] = begin
            ids[start + 1 : end] = begin + 1
        return ids
