"""Turn an annotated Doc into a row: spaCy's own JSON fields, and probabilities where there are any.

A row has "id", "text" and, if there was no error, "certainty", "ents", "tokens" and whatever else
the pipeline set: "sents", "cats", "spans". A row with an "error" has no annotation.
"""

from typing import Any, NamedTuple

from spacy.tokens import Doc

from ..pipeline.confidence import SPANS_KEY, confidence, tag_confidences
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
    ents = data.setdefault("ents", [])  # spaCy leaves them out where no pipe sets any
    groups = data.get("spans", {})
    for name, spans in groups.items():
        scores = doc.spans[name].attrs.get("scores", ())
        if len(scores) == len(spans):
            for span, score in zip(spans, scores, strict=True):
                _give(span, "confidence", score)
    scored = {_place(span): span.get("confidence") for span in groups.get(SPANS_KEY, ())}
    for ent, span in zip(ents, doc.ents, strict=True):
        found = scored.get(_place(ent))
        _give(ent, "confidence", confidence(span) if found is None else found)
    for token, score in zip(data["tokens"], tag_confidences(doc), strict=True):
        _give(token, "tag_confidence", score)
    row = {"id": text.id, "text": data.pop("text"), "certainty": _certainty(data)}
    return Annotated({**row, **data}, doc)


def _place(span: dict[str, Any]) -> tuple[int, int, str]:
    return span["start"], span["end"], span["label"]


def _give(to: dict[str, Any], name: str, score: Any) -> None:
    if score is not None and score == score:  # NaN for a span that a user has set
        to[name] = round(float(score), _DIGITS)


def _certainty(data: dict[str, Any]) -> float | None:
    """Return how certain the least certain decision about a text is, in [0, 1].

    An entity of probability p is one decision of certainty p, and an alternative that was not
    taken one of certainty 1 - p; without an `elmo_ner`, each tag counts instead. 1 where nothing
    was in question; None if no pipe gave probabilities.
    """
    taken = {_place(ent) for ent in data["ents"]}
    sure = [ent["confidence"] for ent in data["ents"] if "confidence" in ent]
    spans = data.get("spans", {}).get(SPANS_KEY)
    for span in spans or ():
        if "confidence" in span and _place(span) not in taken:
            sure.append(1 - span["confidence"])
    if spans is None and not sure:
        tags = [token["tag_confidence"] for token in data["tokens"] if "tag_confidence" in token]
        return min(tags, default=None)
    return round(min(sure, default=1.0), _DIGITS)
