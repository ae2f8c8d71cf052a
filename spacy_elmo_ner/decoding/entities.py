"""From emissions to entities with probabilities: the one call a pipe makes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .emissions import check_emissions
from .label_scheme import LabelScheme, SpanArrays
from .marginals import marginals
from .softmax import log_softmax
from .viterbi import viterbi

DecoderMode = Literal["softmax", "constrained", "crf"]
Spans = tuple[SpanArrays, NDArray[np.float64]]  # with their probabilities (n_spans,)


class EntitySpan(NamedTuple):
    """Tokens start to end - 1 of a document are an entity of type `label`.

    probability: of exactly this span with this label, in [0, 1].
    """

    start: int
    end: int
    label: str
    probability: float


class Transitions(NamedTuple):
    """What a CRF learned: between (n_labels, n_labels) [from, to], start and end (n_labels,)."""

    between: ArrayLike
    start: ArrayLike
    end: ArrayLike


def decode_entities(
    emissions: Sequence[ArrayLike],
    scheme: LabelScheme,
    transitions: Transitions | None = None,
    mode: DecoderMode = "constrained",
    *,
    blocked: Sequence[ArrayLike] | None = None,
    skipped: Sequence[ArrayLike] | None = None,
) -> list[list[EntitySpan]]:
    """The entities of each document, in order and without overlap.

    emissions: of each document (n_tokens, scheme.n_labels) floats, not normalized.
    mode: "softmax" takes each token's best label, and an I-x that follows neither B-x nor I-x
        opens an entity. "constrained" takes the best sequence that is valid BIO, "crf" the same
        with the given transitions. Both give the exact marginal probability of each span;
        "softmax" gives the product of its tokens' probabilities, which leaves out that the span
        must also end there.
    blocked: of each document (n_tokens,) bool, tokens that belong to no entity.
    skipped: of each document (n_tokens,) bool, tokens left out of the sequence, such as
        whitespace. An entity may reach over them, but never begins or ends on one: it cannot,
        the decoder never sees them. A token both blocked and skipped is blocked.

    Raises ValueError for an unknown mode, transitions in another mode than "crf" or missing
    there, arrays of other shapes, or NaN or +inf.
    """
    if mode not in get_args(DecoderMode):
        raise ValueError(Errors.EL159.format(value=mode, known=", ".join(get_args(DecoderMode))))
    if (mode == "crf") != (transitions is not None):
        problem = "has no transitions" if mode == "crf" else "takes no transitions"
        raise ValueError(Errors.EL160.format(mode=mode, problem=problem))
    docs = [_one_doc(one, scheme) for one in emissions]
    lengths = np.asarray([len(one) for one in docs], dtype=np.int64)
    scores = check_emissions(np.concatenate([np.zeros((0, scheme.n_labels)), *docs]), lengths)
    if blocked is not None:
        is_blocked = _flags("blocked", blocked, lengths)
        scores = scheme.block(scores, is_blocked)
    row_of = np.arange(len(scores))
    doc_of = np.repeat(np.arange(len(docs)), lengths)
    if skipped is not None:
        is_kept = ~_flags("skipped", skipped, lengths)
        if blocked is not None:
            is_kept |= is_blocked
        scores, row_of, doc_of = scores[is_kept], row_of[is_kept], doc_of[is_kept]
    kept_lengths = np.bincount(doc_of, minlength=len(docs))
    if mode == "softmax":
        spans, probabilities = _softmax_spans(scores, kept_lengths, scheme)
    else:
        spans, probabilities = _best_path_spans(scores, kept_lengths, scheme, transitions)

    first_row = np.cumsum(lengths) - lengths
    doc = doc_of[spans.starts]
    starts = row_of[spans.starts] - first_row[doc]
    ends = row_of[spans.ends - 1] + 1 - first_row[doc]
    result: list[list[EntitySpan]] = [[] for _ in docs]
    columns = (doc, starts, ends, spans.types, probabilities)
    for which, start, end, label, probability in zip(*(c.tolist() for c in columns), strict=True):
        result[which].append(EntitySpan(start, end, scheme.entity_types[label], probability))
    return result


def _softmax_spans(
    scores: NDArray[np.float64], lengths: NDArray[np.int64], scheme: LabelScheme
) -> Spans:
    ids = scores.argmax(axis=1)  # of equal scores the lowest label
    spans = scheme.read_spans(ids, lengths)
    log_p = log_softmax(scores)[np.arange(len(ids)), ids]
    if not len(spans.starts):
        return spans, np.zeros(0)
    # Sums over [start, end), and in between over [end, next start), which are thrown away. The
    # 0 is there because the last end may be the number of tokens.
    bounds = np.stack([spans.starts, spans.ends], axis=1).ravel()
    sums = np.add.reduceat(np.append(log_p, 0.0), bounds)[::2]
    return spans, np.exp(sums)


def _best_path_spans(
    scores: NDArray[np.float64],
    lengths: NDArray[np.int64],
    scheme: LabelScheme,
    learned: Transitions | None,
) -> Spans:
    between, start, end = learned if learned is not None else (0.0, 0.0, None)
    transitions, start = scheme.constrain(between, start)
    ids, _ = viterbi(scores, lengths, transitions, start, end)
    spans = scheme.read_spans(ids, lengths)
    if not len(spans.starts):
        return spans, np.zeros(0)
    # Forward-backward is the dear part: only for documents in which something was found.
    doc_of = np.repeat(np.arange(len(lengths)), lengths)
    has_spans = np.zeros(len(lengths), dtype=bool)
    has_spans[doc_of[spans.starts]] = True
    is_used = has_spans[doc_of]
    shift = np.cumsum(~is_used)  # unused tokens before a used one
    found = marginals(scores[is_used], lengths[has_spans], transitions, start, end)
    probabilities = found.of_spans(
        spans.starts - shift[spans.starts],
        spans.ends - shift[spans.starts],
        begin=1 + 2 * spans.types,
        inside=2 + 2 * spans.types,
    )
    return spans, probabilities


def _one_doc(emissions: ArrayLike, scheme: LabelScheme) -> NDArray[np.float64]:
    scores = np.asarray(emissions, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] != scheme.n_labels:
        expected = f"(n_tokens, {scheme.n_labels})"
        raise ValueError(Errors.EL154.format(found=scores.shape, expected=expected))
    return scores


def _flags(name: str, flags: Sequence[ArrayLike], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n_tokens of the batch,) bool from one array per document."""
    arrays = [np.asarray(one, dtype=bool) for one in flags]
    if len(arrays) != len(lengths):
        raise ValueError(Errors.EL166.format(name=name, found=len(arrays), n_docs=len(lengths)))
    for doc, (one, n_tokens) in enumerate(zip(arrays, lengths.tolist(), strict=True)):
        if one.shape != (n_tokens,):
            raise ValueError(
                Errors.EL161.format(name=name, doc=doc, found=one.shape, n_tokens=n_tokens)
            )
    return np.concatenate([np.zeros(0, dtype=bool), *arrays])
