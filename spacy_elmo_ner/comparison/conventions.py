"""Boundary conventions: how much of a score is only about which words belong to an entity.

GMB counts "Mr." into a person, OntoNotes does not; OntoNotes counts "the" into "the United
Nations", GMB does not. Such entities are wrong in every exact metric although nobody erred.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .annotation import Annotation
from .breakdown import Pairs, prf
from .results import EntitySpan, Score

SHIPPED = Path(__file__).with_name("conventions.json")

# All conventions aside at once.
ALL = "all of them"


@dataclass(frozen=True)
class Convention:
    """Words that may or may not belong to an entity's start or end; labels None: any label."""

    name: str
    labels: frozenset[str] | None
    side: str
    words: frozenset[str]

    def strip(self, words: Sequence[str], span: EntitySpan) -> EntitySpan:
        """The span without these words; its last word always stays."""
        start, end, label = span
        if self.labels is not None and label not in self.labels:
            return span
        if self.side == "start":
            while end - start > 1 and words[start] in self.words:
                start += 1
        else:
            while end - start > 1 and words[end - 1] in self.words:
                end -= 1
        return start, end, label


@cache
def shipped_conventions() -> tuple[Convention, ...]:
    """The conventions in conventions.json beside this file."""
    data = json.loads(SHIPPED.read_text(encoding="utf8"))
    return tuple(
        Convention(
            entry["name"],
            None if entry["labels"] is None else frozenset(entry["labels"]),
            entry["side"],
            frozenset(entry["words"]),
        )
        for entry in data["conventions"]
    )


def conventions_aside(pairs: Pairs) -> dict[str, Score]:
    """Exact-match scores with each convention aside, and with all; by the convention's name.

    A convention that changes nothing is left out, and so are all where none changes anything.
    """
    conventions = shipped_conventions()
    as_written = _score(pairs, ())
    scores = {each.name: _score(pairs, (each,)) for each in conventions}
    scores[ALL] = _score(pairs, conventions)
    return {name: score for name, score in scores.items() if score != as_written}


def _score(pairs: Pairs, conventions: Sequence[Convention]) -> Score:
    right = predicted = gold = 0
    for truth, guess in pairs:
        true_spans = _stripped(truth, conventions)
        pred_spans = _stripped(guess, conventions)
        right += len(true_spans & pred_spans)
        predicted += len(pred_spans)
        gold += len(true_spans)
    return prf(right, predicted, gold)


def _stripped(annotation: Annotation, conventions: Sequence[Convention]) -> set[EntitySpan]:
    spans = set()
    for span in annotation.entities or ():
        for convention in conventions:
            span = convention.strip(annotation.words, span)
        spans.add(span)
    return spans
