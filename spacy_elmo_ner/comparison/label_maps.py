"""Choose a label map for each pipeline, and turn predicted labels into gold's."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from ..corpus.label_map import EITHER, LabelMap, LabelTable, entity_targets
from ..decoding import EntitySpan
from ..errors import Errors
from .corpora import UNMAPPED_TAG, Annotation, GoldCorpus
from .pipelines import LoadedPipeline
from .results import LabeledSpan

# ---- choice ---------------------------------------------------------------------------------


class LabelSets(NamedTuple):
    """Holds the labels and tags that gold may use: what predictions are mapped to."""

    entities: Collection[str]
    tags: Collection[str]


@dataclass(frozen=True)
class LabelMaps:
    """Holds the maps of the command line: one for all, and those for one pipeline by its name."""

    for_all: LabelMap | None
    by_pipeline: Mapping[str, LabelMap]

    def choose(
        self, pipeline: LoadedPipeline, predicted: Sequence[Annotation], gold: LabelSets
    ) -> LabelMap | None:
        """Choose the map for this pipeline; None if it already uses gold's labels.

        A map named for the pipeline is always used. The one for all is used only if it explains a
        label that the pipeline has or predicts and gold does not use. (A pipeline trained on gold's
        scheme may well know a type that a small corpus lacks.)
        """
        if pipeline.name in self.by_pipeline:
            return self.by_pipeline[pipeline.name]
        if self.for_all is None:
            return None
        entities = _declared(pipeline, pipeline.entity_components)
        entities |= predicted_labels(predicted).keys()
        tags = _declared(pipeline, pipeline.tag_components) | predicted_tags(predicted).keys()
        foreign = (entities - set(gold.entities)) & set(self.for_all.ents)
        foreign |= (tags - set(gold.tags)) & set(self.for_all.tags)
        return self.for_all if foreign else None

    def gold_labels(self, corpora: Sequence[GoldCorpus]) -> LabelSets:
        """Return the labels gold uses: in any of the corpora, or as targets of the maps.

        The maps count because a small corpus need not have every type of its scheme.
        """
        maps = [*self.by_pipeline.values(), *([] if self.for_all is None else [self.for_all])]
        return LabelSets(
            {label for map_ in maps for label in map_.entity_targets}.union(
                *(gold.entity_labels for gold in corpora)
            ),
            {tag for map_ in maps for tag in map_.tags.values() if tag}.union(
                *(gold.tag_labels for gold in corpora)
            ),
        )


def read_label_maps(arguments: Sequence[str], pipelines: Sequence[str]) -> LabelMaps:
    """Read ``PATH`` (for every pipeline that needs it) and ``NAME=PATH`` arguments.

    Raises ValueError: two maps for the same pipelines (EL314), a NAME that is no pipeline's
    (EL315), or a file that cannot be used.
    """
    for_all: LabelMap | None = None
    by_pipeline: dict[str, LabelMap] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            if for_all is not None:
                raise ValueError(Errors.EL314.format(first=for_all.source, second=argument))
            for_all = LabelMap.from_file(argument)
        elif name not in pipelines:
            raise ValueError(
                Errors.EL315.format(name=name, path=path, pipelines=", ".join(pipelines))
            )
        elif name in by_pipeline:
            raise ValueError(Errors.EL314.format(first=by_pipeline[name].source, second=path))
        else:
            by_pipeline[name] = LabelMap.from_file(path)
    return LabelMaps(for_all, by_pipeline)


def predicted_labels(predicted: Sequence[Annotation]) -> Counter[str]:
    """Count the entities by label."""
    return Counter(label for guess in predicted for _, _, label in guess.entities or ())


def predicted_tags(predicted: Sequence[Annotation]) -> Counter[str]:
    """Count the words by tag. A word left without a tag is wrong, but has no label to map."""
    return Counter(tag for guess in predicted for tag in guess.tags or () if tag)


def _declared(pipeline: LoadedPipeline, components: Sequence[str]) -> set[str]:
    labels = pipeline.nlp.pipe_labels
    return {label for name in components for label in labels.get(name, [])}


def _with_declared(pipeline: LoadedPipeline, gold: LabelSets) -> LabelSets:
    """Add a pipeline's labels to gold's if it has all of gold's: then both are of one scheme.

    A label that a small gold corpus lacks is then predicted wrongly, and not unknown.
    """

    def known(of_gold: Collection[str], components: Sequence[str]) -> Collection[str]:
        declared = _declared(pipeline, components)
        return declared if of_gold and declared.issuperset(of_gold) else of_gold

    return LabelSets(
        known(gold.entities, pipeline.entity_components),
        known(gold.tags, pipeline.tag_components),
    )


# ---- use ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Translated:
    """Holds predictions in gold's labels; the unmapped counts are of predictions mapped to null.

    ``decided_by_gold`` counts predictions whose label may mean several gold labels and that were
    read as the one gold has there instead of the first.
    """

    annotations: list[Annotation]
    unmapped_entities: Counter[str]
    unmapped_tags: Counter[str]
    decided_by_gold: Counter[str]


@dataclass(frozen=True)
class Labels:
    """Translates predictions into gold's labels, and notes the map each pipeline used."""

    maps: LabelMaps
    gold: LabelSets
    used: dict[str, LabelMap] = field(default_factory=dict)

    def translate(
        self,
        pipeline: LoadedPipeline,
        predicted: Sequence[Annotation],
        gold: Sequence[Annotation] | None = None,
    ) -> Translated:
        """Map predictions to gold's labels; without ``gold`` any label may stay as it is."""
        chosen = self.maps.choose(pipeline, predicted, self.gold)
        known = self.gold
        if gold is None:
            known = LabelSets(predicted_labels(predicted), predicted_tags(predicted))
        if chosen is None:
            known = _with_declared(pipeline, known)
            return translate(pipeline.name, predicted, {}, {}, known, gold)
        self.used[pipeline.name] = chosen
        return translate(pipeline.name, predicted, chosen.ents, chosen.tags, known, gold)

    def path(self, pipeline: str) -> str | None:
        """Return the file of the map this pipeline used, if any."""
        return self.used[pipeline].source if pipeline in self.used else None

    def unreachable(self, pipeline: LoadedPipeline, gold: GoldCorpus) -> dict[str, int]:
        """Count gold's entities, by label, that no label of this pipeline is mapped to."""
        if pipeline.name not in self.used or not pipeline.entity_components:
            return {}
        table = self.used[pipeline.name].ents
        declared = _declared(pipeline, pipeline.entity_components)
        reached = entity_targets({label: table[label] for label in declared if label in table})
        reached |= declared - set(table)
        counts = predicted_labels(gold.annotations)
        return {label: n for label, n in counts.most_common() if label not in reached}


def translate(
    pipeline: str,
    predictions: Sequence[Annotation],
    entity_table: LabelTable,
    tag_table: LabelTable,
    known: LabelSets,
    gold: Sequence[Annotation] | None = None,
) -> Translated:
    """Map every prediction; a label that is in no table but used by gold stays as it is.

    Entities mapped to null are dropped, tags mapped to null become ``UNMAPPED_TAG``. A label mapped
    to several ("GPE|LOC") becomes the one of a gold entity on the same words, else on some of them,
    else the first. Raises ValueError (EL310) for labels that are neither in the table nor gold's,
    where they are scored: on words and in a layer that gold annotates.
    """
    scored = predictions
    if gold is not None:
        scored = [guess.within(truth) for truth, guess in zip(gold, predictions, strict=True)]
    with_entities = gold is None or any(truth.entities is not None for truth in gold)
    with_tags = gold is None or any(truth.tags is not None for truth in gold)
    if with_entities:
        labels = predicted_labels(scored)
        _require_known(pipeline, "entity label", "ents", labels, entity_table, known.entities)
    if with_tags:
        _require_known(pipeline, "tag", "tags", predicted_tags(scored), tag_table, known.tags)
    result = Translated([], Counter(), Counter(), Counter())
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
        result.unmapped_tags.clear()  # they would count as wrong, but no tag is scored
    return result


def _require_known(
    pipeline: str,
    kind: str,
    section: str,
    predicted: Counter[str],
    table: LabelTable,
    gold_labels: Collection[str],
) -> None:
    known = {*table, *gold_labels}
    unknown = {label: n for label, n in predicted.items() if label not in known}
    if unknown:
        raise ValueError(
            Errors.EL310.format(
                pipeline=pipeline,
                kind=kind,
                labels=", ".join(f"{label!r} ({n} times)" for label, n in unknown.items()),
                gold=", ".join(sorted(gold_labels)) or "none",
                first=next(iter(unknown)),
                section=section,
            )
        )


def _map_entities(
    entities: list[LabeledSpan] | None,
    table: LabelTable,
    gold: Sequence[LabeledSpan],
    result: Translated,
) -> list[LabeledSpan] | None:
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
    alternatives: Sequence[EntitySpan], table: LabelTable, gold: Sequence[LabeledSpan]
) -> tuple[EntitySpan, ...]:
    """Map spans that are not entities the same way; nothing about them is counted."""
    return tuple(
        span._replace(label=_decide(span.start, span.end, targets, gold))
        for span in alternatives
        if (targets := _targets(span.label, table))
    )


def _targets(label: str, table: LabelTable) -> list[str]:
    """Return the gold labels that this one may mean; none if gold has nothing like it."""
    if label not in table:
        return [label]
    target = table[label]
    return [] if target is None else target.split(EITHER)


def _decide(start: int, end: int, targets: Sequence[str], gold: Sequence[LabeledSpan]) -> str:
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
