"""Predicted labels and tags into gold's, with a count of those that have no place there."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..decoding import EntitySpan as ScoredSpan
from ..errors import Errors
from .annotation import UNMAPPED_TAG, Annotation
from .results import EntitySpan

LabelTable = Mapping[str, str | None]

# Between gold labels that one predicted label may mean: "GPE|LOC". For entities only.
EITHER = "|"


@dataclass(frozen=True)
class LabelSets:
    """The labels and tags gold may use: what predictions are mapped to."""

    entities: Collection[str]
    tags: Collection[str]


@dataclass(frozen=True)
class Translated:
    """Predictions in gold's labels; the unmapped counts are of predictions mapped to null.

    ``decided_by_gold`` counts those whose label may mean several of gold's, and that were read as
    the one gold has there instead of the first.
    """

    annotations: list[Annotation]
    unmapped_entities: Counter[str] = field(default_factory=Counter)
    unmapped_tags: Counter[str] = field(default_factory=Counter)
    decided_by_gold: Counter[str] = field(default_factory=Counter)


def translate(
    pipeline: str,
    predictions: Sequence[Annotation],
    entity_table: LabelTable,
    tag_table: LabelTable,
    known: LabelSets,
    gold: Sequence[Annotation] | None = None,
) -> Translated:
    """Map every prediction; a label in no table that gold itself uses stays as it is.

    Entities mapped to null are dropped, tags mapped to null become ``UNMAPPED_TAG``. A label
    mapped to several ("GPE|LOC") becomes the one of an entity that gold has on the same words,
    else on some of them, else the first. Raises ValueError (EL310) for labels that are in neither
    the table nor gold's labels, where they are scored: on words and in a layer that gold annotates.
    """
    scored = predictions
    if gold is not None:
        scored = [guess.within(truth) for truth, guess in zip(gold, predictions, strict=True)]
    with_entities = gold is None or any(truth.entities is not None for truth in gold)
    with_tags = gold is None or any(truth.tags is not None for truth in gold)
    tables = {}
    if with_entities:
        tables["entity label"] = (_seen_labels(scored), entity_table, known.entities)
    if with_tags:
        tables["tag"] = (_seen_tags(scored), tag_table, known.tags)
    for kind, (seen, table, gold_labels) in tables.items():
        unknown = {
            label: n for label, n in seen.items() if label not in table and label not in gold_labels
        }
        if unknown:
            raise ValueError(
                Errors.EL310.format(
                    pipeline=pipeline,
                    kind=kind,
                    labels=", ".join(f"{label!r} ({n} times)" for label, n in unknown.items()),
                    gold=", ".join(sorted(gold_labels)) or "none",
                    first=next(iter(unknown)),
                    section="ents" if kind == "entity label" else "tags",
                )
            )
    result = Translated([])
    for index, annotation in enumerate(predictions):
        truth = () if gold is None else gold[index].entities or ()
        result.annotations.append(
            replace(
                annotation,
                entities=_map_entities(annotation.entities, entity_table, truth, result),
                alternatives=_map_alternatives(annotation.alternatives, entity_table, truth),
                tags=_map_tags(annotation.tags, tag_table, result.unmapped_tags),
            )
        )
    if not with_tags:
        result.unmapped_tags.clear()  # they count as wrong, but only where something is right
    return result


def entity_targets(table: LabelTable) -> set[str]:
    """Every gold label that some label of the table may become."""
    return {each for target in table.values() if target for each in target.split(EITHER)}


def _seen_labels(predictions: Sequence[Annotation]) -> Counter[str]:
    return Counter(label for each in predictions for _, _, label in each.entities or ())


def _seen_tags(predictions: Sequence[Annotation]) -> Counter[str]:
    # "" is a word left without a tag, which is wrong but no label to map.
    return Counter(tag for each in predictions for tag in each.tags or () if tag)


def _map_entities(
    entities: list[EntitySpan] | None,
    table: LabelTable,
    gold: Sequence[EntitySpan],
    result: Translated,
) -> list[EntitySpan] | None:
    if entities is None:
        return None
    mapped = []
    for start, end, label in entities:
        targets = _targets(label, table)
        if not targets:
            result.unmapped_entities[label] += 1
            continue
        target = _decide(start, end, targets, gold)
        result.decided_by_gold[label] += target != targets[0]
        mapped.append((start, end, target))
    return mapped


def _map_alternatives(
    alternatives: Sequence[ScoredSpan], table: LabelTable, gold: Sequence[EntitySpan]
) -> tuple[ScoredSpan, ...]:
    """The same for spans that are no entities: nothing about them is counted."""
    return tuple(
        each._replace(label=_decide(each.start, each.end, targets, gold))
        for each in alternatives
        if (targets := _targets(each.label, table))
    )


def _targets(label: str, table: LabelTable) -> list[str]:
    """The labels of gold that this one may mean; none where gold has nothing like it."""
    if label not in table:
        return [label]
    target = table[label]
    return [] if target is None else target.split(EITHER)


def _decide(start: int, end: int, targets: Sequence[str], gold: Sequence[EntitySpan]) -> str:
    if len(targets) == 1:
        return targets[0]
    there = [
        ((truth_start, truth_end) != (start, end), label)
        for truth_start, truth_end, label in gold
        if truth_start < end and start < truth_end and label in targets
    ]
    return min(there)[1] if there else targets[0]


def _map_tags(
    tags: list[str] | None, table: LabelTable, unmapped: Counter[str]
) -> list[str] | None:
    if tags is None:
        return None
    mapped = []
    for tag in tags:
        target = table.get(tag, tag)
        if target is None:
            unmapped[tag] += 1
        mapped.append(UNMAPPED_TAG if target is None else target)
    return mapped
