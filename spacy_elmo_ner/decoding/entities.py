"""Turn emissions into entities with probabilities: the functions that a pipe calls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .documents import Documents, EntitySpan
from .label_scheme import LabelScheme, SpanArrays
from .lattice import Lattice
from .marginals import marginals, run_forward_backward
from .reductions import Floats, Ints
from .spans import SpanChain
from .transitions import Transitions
from .viterbi import k_best, run_viterbi

DecoderMode = Literal["softmax", "constrained", "crf"]


class Decoded(NamedTuple):
    """Holds what was found in one document.

    entities: in order and without overlap.
    alternatives: other likely spans, ordered by start and end, which may overlap each other and
        the entities.
    """

    entities: list[EntitySpan]
    alternatives: list[EntitySpan]


class Reading(NamedTuple):
    """Holds one way to read a document, and the probability of exactly these entities."""

    entities: list[EntitySpan]
    probability: float


@dataclass(frozen=True)
class Decoder:
    """Says how to read scores.

    mode: "softmax" takes each token's best label, and an I-x that follows neither B-x nor I-x
        begins an entity. "constrained" takes the best sequence that is valid BIO, "crf" the best
        one with the given transitions. All give the exact marginal probability of each span: over
        independent tokens with "softmax", otherwise over all valid sequences.
    temperature: divides all scores, those of transitions included. Above 1 it moves probabilities
        away from 0 and 1, below 1 towards them. It does not change which entities are found.

    Raises ValueError for an unknown mode, for transitions in another mode than "crf" or none in
    that mode, and for a temperature that is not above 0.
    """

    scheme: LabelScheme
    mode: DecoderMode = "constrained"
    transitions: Transitions | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(DecoderMode):
            known = ", ".join(get_args(DecoderMode))
            raise ValueError(Errors.EL159.format(value=self.mode, known=known))
        if (self.mode == "crf") != (self.transitions is not None):
            problem = "has no transitions" if self.mode == "crf" else "takes no transitions"
            raise ValueError(Errors.EL160.format(mode=self.mode, problem=problem))
        if not 0 < self.temperature < np.inf:
            raise ValueError(Errors.EL168.format(value=self.temperature))

    @cached_property
    def constrained(self) -> Transitions:
        """Return the transitions over temperature, -inf for those that are not valid BIO."""
        return self.scheme.constrain(self.transitions).over(self.temperature)


def decode_entities(
    emissions: Sequence[ArrayLike],
    decoder: Decoder,
    *,
    threshold: float = 0.0,
    alternatives: float | None = None,
    blocked: Sequence[ArrayLike] | None = None,
    skipped: Sequence[ArrayLike] | None = None,
) -> list[Decoded]:
    """Find the entities of each document.

    emissions: per document (n_tokens, n_labels of the scheme) floats, not normalized.
    threshold: drops entities that are less probable, see `drop_unlikely`.
    alternatives: also returns other spans that are at least as probable; None returns none.
    blocked: per document (n_tokens,) bool, tokens that belong to no entity.
    skipped: per document (n_tokens,) bool, tokens that the decoder does not see, such as
        whitespace. An entity may span them, but never begins or ends on one. A token that is
        both blocked and skipped is blocked.

    Raises ValueError for arrays of other shapes, NaN or +inf, or a threshold or alternatives
    outside [0, 1] or (0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(Errors.EL169.format(name="threshold", value=threshold, range="[0, 1]"))
    if alternatives is not None and not 0 < alternatives <= 1:
        raise ValueError(
            Errors.EL169.format(name="alternatives", value=alternatives, range="(0, 1]")
        )
    docs = Documents.of(emissions, decoder.scheme, blocked, skipped)
    scores = docs.scores / decoder.temperature
    if decoder.mode == "softmax":
        lattice = None
        ids = docs.scores.argmax(axis=1)  # of equal scores the lowest label
    else:
        lattice = Lattice.of(scores, docs.lengths, decoder.constrained)
        ids, _ = run_viterbi(lattice)
    spans = decoder.scheme.read_spans(ids, docs.lengths)
    if not (threshold or alternatives):
        probabilities = _probabilities(docs, scores, spans, decoder)
        return [Decoded(entities, []) for entities in docs.entities((spans, probabilities))]
    chain = _chain(scores, docs.lengths, decoder, lattice)
    best = docs.entities((spans, chain.of_spans(*spans)))
    likely = docs.entities(chain.above(min(threshold or 1.0, alternatives or 1.0)))
    return [
        _decoded(drop_unlikely(entities, candidates, threshold), candidates, alternatives)
        for entities, candidates in zip(best, likely, strict=True)
    ]


def drop_unlikely(
    entities: Sequence[EntitySpan], candidates: Iterable[EntitySpan], threshold: float
) -> list[EntitySpan]:
    """Drop entities that are less probable than the threshold, and fill their place.

    The place of a dropped entity goes to the most probable candidates that reach the threshold,
    overlap it and do not overlap what is kept. From 0.5 up no two of these overlap each other.
    """
    kept = [entity for entity in entities if entity.probability >= threshold]
    dropped = [entity for entity in entities if entity.probability < threshold]
    if not dropped:
        return kept
    # Tokens, not pairs of spans: a long document has thousands of each.
    taken, free = ({i for span in spans for i in span.tokens} for spans in (kept, dropped))
    likely = (span for span in candidates if span.probability >= threshold)
    for rival in sorted(likely, key=lambda span: (-span.probability, span)):
        if taken.isdisjoint(rival.tokens) and not free.isdisjoint(rival.tokens):
            kept.append(rival)
            taken.update(rival.tokens)
    return sorted(kept)


def best_readings(
    emissions: Sequence[ArrayLike],
    decoder: Decoder,
    n: int,
    *,
    blocked: Sequence[ArrayLike] | None = None,
    skipped: Sequence[ArrayLike] | None = None,
) -> list[list[Reading]]:
    """Find the n most probable readings of each document, best first, or all if there are fewer.

    Readings are the entities of valid BIO sequences, so no two are equal. With "softmax" they are
    those of "constrained". Other arguments and errors are those of `decode_entities`; also raises
    ValueError for n below 1.
    """
    docs = Documents.of(emissions, decoder.scheme, blocked, skipped)
    scores, transitions = docs.scores / decoder.temperature, decoder.constrained
    ids, totals = k_best(n, scores, docs.lengths, transitions)
    posterior = marginals(scores, docs.lengths, transitions)
    chain = SpanChain.of_marginals(posterior)
    result: list[list[Reading]] = [[] for _ in emissions]
    for rank_ids, rank_totals in zip(ids, totals, strict=True):
        spans = decoder.scheme.read_spans(rank_ids, docs.lengths)
        entities = docs.entities((spans, chain.of_spans(*spans)))
        probabilities = np.exp(np.minimum(rank_totals - posterior.log_partition, 0.0))
        for doc in np.flatnonzero(rank_totals > -np.inf):
            result[doc].append(Reading(entities[doc], float(probabilities[doc])))
    return result


def _decoded(
    entities: list[EntitySpan], candidates: Iterable[EntitySpan], lowest: float | None
) -> Decoded:
    """Add the candidates that are not entities and at least as probable as `lowest`."""
    if lowest is None:
        return Decoded(entities, [])
    taken = {entity[:3] for entity in entities}
    likely = (span for span in candidates if span.probability >= lowest)
    return Decoded(entities, [span for span in likely if span[:3] not in taken])


def _chain(
    scores: Floats, lengths: Ints, decoder: Decoder, lattice: Lattice | None = None
) -> SpanChain:
    """Compute how likely entities are; lattice: that of these scores, if there is one already."""
    if decoder.mode == "softmax":
        return SpanChain.of_tokens(scores, lengths)
    if lattice is None:
        lattice = Lattice.of(scores, lengths, decoder.constrained)
    return SpanChain.of_marginals(run_forward_backward(lattice))


def _probabilities(docs: Documents, scores: Floats, spans: SpanArrays, decoder: Decoder) -> Floats:
    """Return the probability of each span, (n_spans,).

    Forward-backward takes most of the time, so it runs only on documents that have spans.
    """
    has_spans = np.zeros(len(docs.lengths), dtype=bool)
    has_spans[docs.docs[spans.starts]] = True
    is_used = has_spans[docs.docs]
    shift = np.cumsum(~is_used)[spans.starts]  # unused tokens before a used one
    chain = _chain(scores[is_used], docs.lengths[has_spans], decoder)
    return chain.of_spans(spans.starts - shift, spans.ends - shift, spans.types)
