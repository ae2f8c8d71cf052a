"""Store probabilities of entities and tags under the characters they belong to.

spaCy stores a value of ``span._`` or ``token._`` in ``doc.user_data`` under the extension's name
and the characters of the span or token. All functions of spaCy that copy, join, cut or store Docs
handle such keys, and merging or splitting tokens does not change characters. A probability
therefore either stays with its span or is lost, and is found in constant time. Each value also
holds its label or tag, because another pipe or a person may change that later.
"""

import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup, Token

from ..decoding import Decoded, EntitySpan
from .extensions import Extension, data_of
from .scored_spans import ScoredSpans, stored_spans, token_bounds

# doc.spans key of the scored entities, as spaCy's spancat keeps its own.
SPANS_KEY = "elmo_ner"

# Alternatives are stored under another name than entities: Doc.from_json fails on a span whose
# ends are no longer token boundaries, which is common for alternatives once entities are merged.
ALTERNATIVES = "elmo_ner"

# Characters from, to and the label's text.
Place = tuple[int, int, str]


class Given(NamedTuple):
    """Holds a probability in [0, 1] and the name of the pipe that gave it; None if not known."""

    score: float | None
    pipe: str | None


def confidence(span: Span) -> float | None:
    """Return the probability of this span with this label; None if no `elmo_ner` scored it."""
    doc, place = span.doc, (span.start_char, span.end_char, span.label_)
    for name in (ENTITIES.key, ALTERNATIVES):
        stored = data_of(doc).get(("._.", name, *place[:2]))
        if isinstance(stored, int | float):
            return stored  # set by a person
        if stored is not None and place[2] in stored:
            return stored[place[2]]["score"]
    in_group = _of_group(doc).get(place)
    return None if in_group is None else in_group.score


def tag_confidence(token: Token) -> float | None:
    """Return the probability of this token's tag; None for a tag that `elmo_tagger` did not set."""
    return _tag_score(token, data_of(token.doc).get(("._.", TAGS.key, token.idx, None)))


def tag_confidences(doc: Doc) -> list[float | None]:
    """Return `tag_confidence` of every token, in less time."""
    name, user_data = TAGS.key, data_of(doc)
    return [_tag_score(token, user_data.get(("._.", name, token.idx, None))) for token in doc]


def _tag_score(token: Token, stored: Any) -> float | None:
    if isinstance(stored, list | tuple):
        tag, score, n_chars = stored
        # A merged or split token may still start at the same character.
        return score if tag == token.tag_ and n_chars == len(token) else None
    return stored


ENTITIES = Extension(Span, "confidence", "elmo_confidence", confidence)
TAGS = Extension(Token, "tag_confidence", "elmo_tag_confidence", tag_confidence)


def register_entities() -> None:
    """Register what `give_entities` stores."""
    ENTITIES.register()
    if not Span.has_extension(ALTERNATIVES):
        Span.set_extension(ALTERNATIVES, default=None)  # Doc.from_json asks for it


# ---- entities ----------------------------------------------------------------------------


def give_entities(doc: Doc, pipe: str, decoded: Decoded) -> None:
    """Store the probabilities of all spans that a pipe found; they replace its earlier ones."""
    user_data, names = data_of(doc), (ENTITIES.key, ALTERNATIVES)
    for key, stored in _stored(doc):
        # New dicts: Docs that were cut or joined share the old ones.
        others = {label: given for label, given in stored.items() if given["pipe"] != pipe}
        if others:
            user_data[key] = others
        else:
            del user_data[key]
    for name, spans in zip(names, decoded, strict=True):
        for span in spans:
            last = doc[span.end - 1]
            key = ("._.", name, doc[span.start].idx, last.idx + len(last))
            before = user_data.get(key)
            # float32 as in doc.spans, so that both give the same number.
            given = {"score": float(np.float32(span.probability)), "pipe": pipe}
            user_data[key] = {**(before if isinstance(before, dict) else {}), span.label: given}


def given_entities(doc: Doc) -> dict[Place, Given]:
    """Return the scores of all spans of this Doc, whether they are entities now or not."""
    scores = _of_group(doc).copy()
    for (_, _, start, end), stored in _stored(doc):
        for label, given in stored.items():
            scores[start, end, label] = Given(given["score"], given["pipe"])
    return scores


def _stored(doc: Doc) -> list[tuple[Any, dict[str, dict[str, Any]]]]:
    """Return keys and values of all scored spans; entities last, as their scores take priority."""
    names = (ALTERNATIVES, ENTITIES.key)
    items = [
        (key, value)
        for key, value in data_of(doc).items()
        if isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[1] in names
    ]
    items.sort(key=lambda item: names.index(item[0][1]))
    return [(key, value) for key, value in items if isinstance(value, dict)]


def located_entities(doc: Doc) -> tuple[Decoded, dict[EntitySpan, str | None]]:
    """Return the scored spans in the Doc's current tokens, and the pipe that scored each."""
    first, last = token_bounds(doc)
    set_here = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
    located, pipes = Decoded([], []), {}
    for place, given in given_entities(doc).items():
        start, end, label = place
        if given.score is None or start not in first or end not in last:
            continue
        span = EntitySpan(first[start], last[end], label, given.score)
        (located.entities if place in set_here else located.alternatives).append(span)
        pipes[span] = given.pipe
    for spans in located:
        spans.sort(key=lambda span: span[:2])
    return located, pipes


def decoded_entities(doc: Doc) -> Decoded:
    """Return the entities of this Doc that `elmo_ner` scored, and its other scored spans.

    An entity of another pipe is not among them. Both are empty where no `elmo_ner` has been.
    """
    return located_entities(doc)[0]


def write_span_group(doc: Doc) -> None:
    """Set doc.spans["elmo_ner"]: the scored entities in order, then the alternatives."""
    located, pipes = located_entities(doc)
    scored = [*located.entities, *located.alternatives]
    doc.spans[SPANS_KEY] = ScoredSpans(
        doc,
        name=SPANS_KEY,
        spans=[Span(doc, span.start, span.end, label=span.label) for span in scored],
        attrs={
            "scores": np.asarray([span.probability for span in scored], dtype=np.float32),
            "pipes": [pipes[span] for span in scored],
        },
    )


# A DocBin without user data keeps span groups: what they hold, by Doc. The group is kept too, so
# that a group set later is read again.
_groups: "weakref.WeakKeyDictionary[Doc, tuple[SpanGroup, dict[Place, Given]]]"
_groups = weakref.WeakKeyDictionary()


def _of_group(doc: Doc) -> dict[Place, Given]:
    """Read doc.spans["elmo_ner"] of a Doc that was stored without its user data."""
    group = doc.spans.get(SPANS_KEY)
    if group is None or isinstance(group, ScoredSpans):
        return {}
    kept = _groups.get(doc)
    if kept is None or kept[0] is not group:
        kept = _groups[doc] = group, _read_group(doc, group)
    return kept[1]


def _read_group(doc: Doc, group: SpanGroup) -> dict[Place, Given]:
    spans = stored_spans(group)
    columns = []
    for name in ("scores", "pipes"):
        column = list(group.attrs.get(name, ()))
        columns.append(column if len(column) == len(spans) else [None] * len(spans))
    strings = doc.vocab.strings
    return {
        (span.start_char, span.end_char, strings[span.label]): Given(
            None if score is None or np.isnan(score) else float(score), pipe
        )
        for span, score, pipe in zip(spans, *columns, strict=True)
    }


# ---- tags --------------------------------------------------------------------------------


def give_tags(doc: Doc, tags: Iterable[str], scores: Iterable[float]) -> None:
    """Store the probability of each token's tag; a tag "" changes nothing."""
    name, user_data = TAGS.key, data_of(doc)
    for token, tag, score in zip(doc, tags, scores, strict=True):
        if tag:
            user_data["._.", name, token.idx, None] = [tag, score, len(token)]
