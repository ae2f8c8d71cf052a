"""Turn an annotated Doc into a row: spaCy's own JSON fields, and probabilities where there are any.

A row has "id", "text" and, if there was no error, "certainty", "ents", "tokens" and whatever else
the pipeline set: "sents", "cats", "spans". A row with an "error" has no annotation.
"""

from typing import Any, NamedTuple

from spacy.tokens import Doc

from ..pipeline.confidence import (
    SPANS_KEY,
    confidence,
    decoded_entities,
    tag_confidence,
)
from .texts import Text

# Digits of a probability. The last digits of a float32 differ between numbers of threads.
_DIGITS = 4


class Annotated(NamedTuple):
    """Holds a text's row, and its Doc if there is one."""

    row: dict[str, Any]
    doc: Doc | None

    @property
    def error(self) -> str | None:
        """Return what went wrong with the text, or None."""
        return self.row.get("error")

    @property
    def certainty(self) -> float | None:
        """Return the row's certainty, see `certainty`; None if it has none."""
        return self.row.get("certainty")


def failed(text: Text, error: str) -> Annotated:
    """Return the row of a text that could not be read or annotated."""
    return Annotated({"id": text.id, "text": text.text, "error": error}, None)


def annotated(text: Text, doc: Doc) -> Annotated:
    """Return the row of a Doc that came out of a pipeline."""
    data = doc.to_json()
    row: dict[str, Any] = {"id": text.id, "text": data.pop("text"), "certainty": certainty(doc)}
    ents = data.setdefault("ents", [])  # spaCy leaves them out where no pipe sets any
    for ent, span in zip(ents, doc.ents, strict=True):
        _give(ent, confidence(span))
    for token, number in zip(data["tokens"], doc, strict=True):
        if (score := tag_confidence(number)) is not None:
            token["tag_confidence"] = round(score, _DIGITS)
    for name, spans in data.get("spans", {}).items():
        scores = list(doc.spans[name].attrs.get("scores", ()))
        if len(scores) == len(spans):
            for span, score in zip(spans, scores, strict=True):
                _give(span, score)
    row.update(data)
    return Annotated(row, doc)


def _give(span: dict[str, Any], score: Any) -> None:
    if score is not None:
        span["confidence"] = round(float(score), _DIGITS)


def certainty(doc: Doc) -> float | None:
    """Return how certain the least certain decision about this text is, in [0, 1].

    An entity of probability p is one decision of certainty p, and an alternative that was not
    taken one of certainty 1 - p; without an `elmo_ner`, each tag counts instead. 1 where nothing
    was in question; None if no pipe gave probabilities.
    """
    found = decoded_entities(doc)
    if SPANS_KEY in doc.spans or any(found):
        sure = [one.probability for one in found.entities]
        sure += [1 - one.probability for one in found.alternatives]
        return round(float(min(sure, default=1.0)), _DIGITS)
    tags = [score for token in doc if (score := tag_confidence(token)) is not None]
    return round(float(min(tags)), _DIGITS) if tags else None
