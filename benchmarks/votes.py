"""What trained systems find together: their majority, and where all of them contradict gold.

Label noise sets a ceiling that no system can pass. Two signs of it: a vote of many systems is
hardly better than the best of them, and all of them agree on entities that gold does not have.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict

from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.results import LabeledSpan


class Unanimous(TypedDict):
    """Entities that every system finds alike, and what gold has in their place."""

    found: int
    right: int
    other_label: int  # the same words
    other_bounds: int  # some of the words
    nothing: int


def majority_vote(systems: Sequence[Sequence[Annotation]]) -> list[Annotation]:
    """Entities that more than half of the systems that look for any find, and each word's
    commonest tag.

    Each system has all texts in the same order; of equally common tags the first system's wins.
    """
    return [_vote(readings) for readings in zip(*systems, strict=True)]


def _vote(readings: Sequence[Annotation]) -> Annotation:
    entities = [each.entities for each in readings if each.entities is not None]
    tags = [each.tags for each in readings if each.tags is not None]
    votes = Counter(entity for each in entities for entity in each)
    most = sorted(entity for entity, n in votes.items() if 2 * n > len(entities))
    commonest = [Counter(of_word).most_common(1)[0][0] for of_word in zip(*tags, strict=True)]
    return Annotation(readings[0].words, most if entities else None, commonest if tags else None)


def unanimous(gold: Sequence[Annotation], systems: Sequence[Sequence[Annotation]]) -> Unanimous:
    """What all systems find, at least one of them, held against gold."""
    result: Unanimous = {"found": 0, "right": 0, "other_label": 0, "other_bounds": 0, "nothing": 0}
    for annotated, *readings in zip(gold, *systems, strict=True):
        of_gold = list(annotated.entities or ())
        shared = set.intersection(*(set(each.entities or ()) for each in readings))
        for entity in shared:
            result["found"] += 1
            result[_held_against(entity, of_gold)] += 1
    return result


def _held_against(
    entity: LabeledSpan, gold: Sequence[LabeledSpan]
) -> Literal["right", "other_label", "other_bounds", "nothing"]:
    start, end, _ = entity
    if entity in gold:
        return "right"
    if any((start, end) == other[:2] for other in gold):
        return "other_label"
    if any(start < other[1] and other[0] < end for other in gold):
        return "other_bounds"
    return "nothing"
