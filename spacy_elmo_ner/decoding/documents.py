"""Join the scores of documents to one block, without the tokens that the decoder skips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .emissions import check_emissions
from .label_scheme import LabelScheme
from .reductions import Floats, Ints
from .spans import ScoredSpans


class EntitySpan(NamedTuple):
    """Describes an entity of type `label`: the tokens start to end - 1 of a document.

    probability: that of exactly this span with this label, in [0, 1].
    """

    start: int
    end: int
    label: str
    probability: float

    @property
    def tokens(self) -> range:
        """Return the numbers of the entity's tokens."""
        return range(self.start, self.end)


@dataclass(frozen=True)
class Documents:
    """Holds a batch of documents, as the tokens that are kept.

    scores: (n_kept, n_labels) float64; lengths: (n_docs,) int64, kept tokens per document.
    rows, docs: (n_kept,) int64, each kept token's index in its document, and its document.
    """

    scheme: LabelScheme
    scores: Floats
    lengths: Ints
    rows: Ints
    docs: Ints

    @classmethod
    def of(
        cls,
        emissions: Sequence[ArrayLike],
        scheme: LabelScheme,
        blocked: Sequence[ArrayLike] | None = None,
        skipped: Sequence[ArrayLike] | None = None,
    ) -> "Documents":
        """Join documents. Arguments and errors are those of `decode_entities`."""
        docs = [_one_doc(doc, scheme) for doc in emissions]
        lengths = np.asarray([len(doc) for doc in docs], dtype=np.int64)
        scores = check_emissions(np.concatenate([np.zeros((0, scheme.n_labels)), *docs]), lengths)
        if blocked is not None:
            is_blocked = _flags("blocked", blocked, lengths)
            scores = scheme.block(scores, is_blocked)
        doc_of = np.repeat(np.arange(len(docs)), lengths)
        row_of = np.arange(len(scores)) - (np.cumsum(lengths) - lengths)[doc_of]
        if skipped is not None:
            is_kept = ~_flags("skipped", skipped, lengths)
            if blocked is not None:
                is_kept |= is_blocked
            scores, row_of, doc_of = scores[is_kept], row_of[is_kept], doc_of[is_kept]
        return cls(scheme, scores, np.bincount(doc_of, minlength=len(docs)), row_of, doc_of)

    def entities(self, scored: ScoredSpans) -> list[list[EntitySpan]]:
        """Return the entities of each document, from spans that count kept tokens of the batch."""
        spans, probabilities = scored
        doc = self.docs[spans.starts]
        starts, ends = self.rows[spans.starts], self.rows[spans.ends - 1] + 1
        result: list[list[EntitySpan]] = [[] for _ in self.lengths]
        columns = (doc, starts, ends, spans.types, probabilities)
        for which, start, end, label, p in zip(*(c.tolist() for c in columns), strict=True):
            result[which].append(EntitySpan(start, end, self.scheme.entity_types[label], p))
        return result


def _one_doc(emissions: ArrayLike, scheme: LabelScheme) -> Floats:
    scores = np.asarray(emissions, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] != scheme.n_labels:
        expected = f"(n_tokens, {scheme.n_labels})"
        raise ValueError(Errors.EL154.format(found=scores.shape, expected=expected))
    return scores


def _flags(name: str, flags: Sequence[ArrayLike], lengths: Ints) -> NDArray[np.bool_]:
    """Join one array of flags per document: (n_tokens of the batch,) bool."""
    arrays = [np.asarray(array, dtype=bool) for array in flags]
    if len(arrays) != len(lengths):
        raise ValueError(Errors.EL166.format(name=name, found=len(arrays), n_docs=len(lengths)))
    for doc, (array, n_tokens) in enumerate(zip(arrays, lengths.tolist(), strict=True)):
        if array.shape != (n_tokens,):
            raise ValueError(
                Errors.EL161.format(name=name, doc=doc, found=array.shape, n_tokens=n_tokens)
            )
    return np.concatenate([np.zeros(0, dtype=bool), *arrays])
