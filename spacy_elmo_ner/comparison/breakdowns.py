"""Score parts of the entities by exact matches: seen or unseen, by length, without conventions.

A boundary convention says which words belong to an entity. GMB counts "Mr." as part of a person,
OntoNotes does not; OntoNotes counts "the" as part of "the United Nations", GMB does not. Such
entities are wrong in every exact metric although nobody made a mistake.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .corpora import Annotation, Pairs, entity_words
from .results import LabeledSpan, Score

SEEN = "exact_seen_in_train"
UNSEEN = "exact_unseen_in_train"

# The last length of each part but the open one, in words.
SENTENCE_LENGTHS = (10, 20, 30, 40)
ENTITY_LENGTHS = (1, 2, 3)

CONVENTIONS = Path(__file__).with_name("conventions.json")

# The score without any of the conventions.
ALL = "all of them"


def by_part(
    pairs: Pairs, parts: Sequence[str], part_of: Callable[[Annotation, LabeledSpan], str]
) -> dict[str, Score]:
    """Score each part of the entities by exact matches.

    Predictions are assigned to parts the same way as gold, so a right one is always in the part of
    its gold entity.
    """
    counts = {part: [0, 0, 0] for part in parts}  # right, predicted, gold
    for truth, guess in pairs:
        true_spans, pred_spans = set(truth.entities or ()), set(guess.entities or ())
        for column, annotation, spans in (
            (0, truth, true_spans & pred_spans),
            (1, guess, pred_spans),
            (2, truth, true_spans),
        ):
            for span in spans:
                counts[part_of(annotation, span)][column] += 1
    return {part: Score.of(*count) for part, count in counts.items()}


def seen_unseen(pairs: Pairs, train_entities: set[tuple[str, ...]]) -> dict[str, Score]:
    """Score entities whose words are an entity in train, and the rest (Augenstein et al. 2017)."""

    def part_of(annotation: Annotation, span: LabeledSpan) -> str:
        (words,) = entity_words(annotation.words, [span])
        return SEEN if words in train_entities else UNSEEN

    return by_part(pairs, (SEEN, UNSEEN), part_of)


def by_sentence_length(pairs: Pairs) -> dict[str, Score]:
    """Score entities by the number of words in their text."""
    return by_part(
        pairs,
        _names(SENTENCE_LENGTHS),
        lambda annotation, span: _name(len(annotation.words), SENTENCE_LENGTHS),
    )


def by_entity_length(pairs: Pairs) -> dict[str, Score]:
    """Score entities by their own length: recall by gold's, precision by the predicted one's."""
    return by_part(
        pairs,
        _names(ENTITY_LENGTHS),
        lambda annotation, span: _name(span[1] - span[0], ENTITY_LENGTHS),
    )


def _names(limits: Sequence[int]) -> list[str]:
    return [_name(limit, limits) for limit in (*limits, limits[-1] + 1)]


def _name(length: int, limits: Sequence[int]) -> str:
    """Name the part that a length belongs to: "11-20", "3", "41+"."""
    first = 1
    for limit in limits:
        if length <= limit:
            return str(limit) if first == limit else f"{first}-{limit}"
        first = limit + 1
    return f"{first}+"


# ---- boundary conventions -------------------------------------------------------------------


@dataclass(frozen=True)
class Convention:
    """Describes words that may belong to an entity's start or end; labels None means any label."""

    name: str
    labels: frozenset[str] | None
    side: str
    words: frozenset[str]

    def strip(self, words: Sequence[str], span: LabeledSpan) -> LabeledSpan:
        """Return the span without these words; its last word is always kept."""
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
    """Read the conventions in conventions.json beside this file."""
    data = json.loads(CONVENTIONS.read_text(encoding="utf8"))
    return tuple(
        Convention(
            entry["name"],
            None if entry["labels"] is None else frozenset(entry["labels"]),
            entry["side"],
            frozenset(entry["words"]),
        )
        for entry in data["conventions"]
    )


def without_conventions(pairs: Pairs) -> dict[str, Score]:
    """Score exact matches without each convention, and without all, by the convention's name.

    A convention that changes nothing is left out; so is "all" if none changes anything.
    """
    conventions = shipped_conventions()
    as_written = _score(pairs, ())
    scores = {convention.name: _score(pairs, (convention,)) for convention in conventions}
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
    return Score.of(right, predicted, gold)


def _stripped(annotation: Annotation, conventions: Sequence[Convention]) -> set[LabeledSpan]:
    spans = set()
    for span in annotation.entities or ():
        for convention in conventions:
            span = convention.strip(annotation.words, span)
        spans.add(span)
    return spans
