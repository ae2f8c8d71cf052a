"""Compute exact probabilities of labelled spans (Culotta and McCallum 2004).

Either of given spans, or of all spans above a threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .emissions import log_softmax
from .label_scheme import SpanArrays
from .marginals import Marginals
from .reductions import Floats, Ints

ScoredSpans = tuple[SpanArrays, Floats]  # and their probabilities (n_spans,)


@dataclass(frozen=True)
class SpanChain:
    """Holds how likely entities of each type begin and continue, token by token, in nats.

    The labels are a Markov chain, so a span's probability is a product: the entity begins,
    continues to its last token, and then does not continue. No two large log-sums are subtracted.

    begins: (n_types, n_tokens) float64, log P(an entity of the type begins at the token).
    second: log P(it continues at the next token | it began at this one), of the same shape.
    further: log P(it continues at the next token | it began earlier and has reached this one).
    The last two are -inf at the end of a document. ends_doc: (n_tokens,) bool.
    """

    begins: Floats
    second: Floats
    further: Floats
    ends_doc: NDArray[np.bool_]

    @classmethod
    def of_marginals(cls, posterior: Marginals) -> "SpanChain":
        """Build the chain of all sequences of labels O, B-x, I-x, B-y, ..., constrained or not.

        An entity of a sequence is a B-x with all I-x that follow it.
        """
        lattice = posterior.lattice
        here = lattice.columns
        there = np.append(here[1:], here[:1])  # not used at the end of a document
        begin = np.arange(1, len(lattice.scores), 2)
        inside = begin + 1
        ends_doc = np.zeros(len(here), dtype=bool)
        ends_doc[lattice.rows[lattice.last]] = True
        ahead = (lattice.scores[inside] + posterior.backward[inside])[:, there]

        def goes_on(before: Ints, to_inside: Floats) -> Floats:
            one_way = to_inside[:, None] + ahead
            all_ways = posterior.backward[before][:, here]
            all_ways = np.where(all_ways > -np.inf, all_ways, 0.0)  # -inf - -inf would be NaN
            # Rounding may put a probability just above 1.
            return np.where(ends_doc, -np.inf, np.minimum(one_way - all_ways, 0.0))

        begins = posterior.log_of_labels[begin][:, here]
        from_begin, from_inside = lattice.transitions.inside_scores
        return cls(begins, goes_on(begin, from_begin), goes_on(inside, from_inside), ends_doc)

    @classmethod
    def of_tokens(cls, emissions: ArrayLike, lengths: ArrayLike) -> "SpanChain":
        """Build the chain of tokens whose labels are independent, emissions (n_tokens, n_labels).

        An I-x that follows neither B-x nor I-x begins an entity, as in `LabelScheme.read_spans`.
        """
        log_p = log_softmax(emissions).T
        n_tokens = log_p.shape[1]
        ends_doc = np.zeros(n_tokens, dtype=bool)
        sizes = np.asarray(lengths, dtype=np.int64)
        ends_doc[(np.cumsum(sizes) - 1)[sizes > 0]] = True
        begin, inside = log_p[1::2], log_p[2::2]
        of_type = np.exp(begin) + np.exp(inside)
        other_before = 1.0 - np.roll(np.where(ends_doc, 0.0, of_type), 1, axis=1)
        begins = np.exp(begin) + np.exp(inside) * np.clip(other_before, 0.0, 1.0)
        with np.errstate(divide="ignore"):  # log(0) is the -inf we want
            log_begins = np.log(begins)
        goes_on = np.where(ends_doc, -np.inf, np.roll(inside, -1, axis=1))
        return cls(log_begins, goes_on, goes_on, ends_doc)

    def of_spans(self, starts: ArrayLike, ends: ArrayLike, types: ArrayLike) -> Floats:
        """Return P(the span is exactly an entity of its type), (n_spans,) float64.

        starts, ends: (n_spans,) int64, tokens counted over the whole batch, ends exclusive.
        types: (n_spans,) int64, indices of the scheme's entity_types.
        Raises ValueError for a span that is not within one document.
        """
        first, after = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
        which = np.asarray(types, dtype=np.int64)
        self._check_spans(first, after)
        lengths = after - first
        log_p = self.begins[which, first]
        for k in range(1, int(lengths.max(initial=0))):
            longer = np.flatnonzero(lengths > k)
            goes_on = self.second if k == 1 else self.further
            log_p[longer] += goes_on[which[longer], first[longer] + k - 1]
        last = after - 1
        goes_on = np.where(lengths == 1, self.second[which, last], self.further[which, last])
        return np.exp(log_p) * -np.expm1(goes_on)

    def above(self, threshold: float) -> ScoredSpans:
        """Return all spans at least as probable as the threshold, and their probabilities.

        threshold: above 0. Spans are ordered by start, end and type, and may overlap.
        """
        lowest = np.log(threshold)
        types, starts = np.nonzero(self.begins >= lowest)
        ends = starts + 1
        log_p = self.begins[types, starts]
        goes_on_from = self.second
        blocks = []
        # A span is never more probable than its beginning, so few continue for long.
        while len(starts):
            goes_on = goes_on_from[types, ends - 1]
            probability = np.exp(log_p) * -np.expm1(goes_on)
            blocks.append(np.stack([starts, ends, types, probability])[:, probability >= threshold])
            log_p = log_p + goes_on
            likely = log_p >= lowest
            starts, ends, types = starts[likely], ends[likely] + 1, types[likely]
            log_p = log_p[likely]
            goes_on_from = self.further
        all_found = np.concatenate([np.zeros((4, 0)), *blocks], axis=1)
        all_found = all_found[:, np.lexsort(all_found[2::-1])]
        spans = SpanArrays(*all_found[:3].astype(np.int64))
        return spans, all_found[3]

    def _check_spans(self, starts: Ints, ends: Ints) -> None:
        wrong = (starts < 0) | (starts >= ends) | (ends > len(self.ends_doc))
        if not wrong.any():
            docs_before: Ints = np.cumsum(self.ends_doc) - self.ends_doc
            wrong = docs_before[starts] != docs_before[ends - 1]
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ValueError(Errors.EL164.format(start=starts[first], end=ends[first]))
