"""Number BIO (IOB2) labels, say which may follow which, and read the spans they spell."""

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


class SpanArrays(NamedTuple):
    """Holds the spans of a batch, in order: starts, ends, types, (n_spans,) int64 each.

    Starts and ends count tokens over the whole batch; types are indices of
    LabelScheme.entity_types.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    types: NDArray[np.int64]


@dataclass(frozen=True)
class LabelScheme:
    """Numbers the labels "O", "B-x", "I-x", "B-y", "I-y", ... in the order of `entity_types`.

    entity_types: for instance ["geo", "gpe"]; without types there is only the label "O".
    Raises ValueError for a type that is empty, not a str or given twice.
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
        """Return the labels in the order of their ids."""
        return (
            "O",
            *(f"{prefix}-{entity_type}" for entity_type in self.entity_types for prefix in "BI"),
        )

    @property
    def n_labels(self) -> int:
        """Return the number of labels."""
        return 1 + 2 * len(self.entity_types)

    @cached_property
    def start_allowed(self) -> NDArray[np.bool_]:
        """Return whether a document may begin with each label, (n_labels,) bool: not with I-x."""
        allowed = np.ones(self.n_labels, dtype=bool)
        allowed[2::2] = False
        allowed.setflags(write=False)
        return allowed

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """Return whether a label may follow another, (n_labels, n_labels) bool, [from, to].

        I-x follows only B-x and I-x.
        """
        allowed = np.tile(self.start_allowed, (self.n_labels, 1))
        inside = np.arange(2, self.n_labels, 2)
        allowed[inside - 1, inside] = True
        allowed[inside, inside] = True
        allowed.setflags(write=False)
        return allowed

    def constrain(self, transitions: Transitions | None = None) -> Transitions:
        """Return the transitions with -inf for those that BIO forbids.

        Without an argument, all others score 0.
        """
        if transitions is None:
            return BIOTransitions.zeros(len(self.entity_types))
        if not isinstance(transitions, FullTransitions):
            return transitions  # which have no scores for forbidden ones
        return FullTransitions(
            np.where(self.allowed, transitions.between, -np.inf),
            np.where(self.start_allowed, transitions.start, -np.inf),
            transitions.end,
        )

    def block(self, emissions: ArrayLike, blocked: ArrayLike) -> NDArray[np.float64]:
        """Return a copy of emissions (n_tokens, n_labels) in which blocked tokens can only be "O".

        blocked: (n_tokens,) bool. Their other labels score -inf, so decoders find no entity there
        and probabilities are conditional on these tokens being outside.
        """
        scores = np.array(emissions, dtype=np.float64)
        scores[np.asarray(blocked, dtype=bool), OUTSIDE + 1 :] = -np.inf
        return scores

    def read_spans(self, tag_ids: ArrayLike, lengths: ArrayLike) -> SpanArrays:
        """Return the spans of a batch of documents: tag_ids (n_tokens,), lengths (n_docs,).

        Any sequence can be read. An I-x that follows neither B-x nor I-x begins an entity, as in
        seqeval's default mode. Raises ValueError for an id that is not a label.
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


def bio_to_spans(labels: Iterable[str]) -> list[tuple[int, int, str]]:
    """Return the spans (start, end, type), end exclusive, of one document's labels.

    Any sequence can be read, by the rule of `LabelScheme.read_spans`.
    """
    spans: list[tuple[int, int, str]] = []
    open_type = ""
    for i, label in enumerate(labels):
        prefix, _, entity_type = label.partition("-")
        if prefix == "I" and entity_type == open_type:
            start, _, _ = spans.pop()
            spans.append((start, i + 1, entity_type))
        elif prefix in ("B", "I"):
            spans.append((i, i + 1, entity_type))
        open_type = entity_type
    return spans


def spans_to_bio(n_tokens: int, spans: Iterable[tuple[int, int, str]]) -> list[str]:
    """Return the labels of one document from spans (start, end, type) that do not overlap."""
    labels = ["O"] * n_tokens
    for start, end, entity_type in spans:
        labels[start:end] = [f"B-{entity_type}", *[f"I-{entity_type}"] * (end - start - 1)]
    return labels
