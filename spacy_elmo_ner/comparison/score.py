"""Score one corpus from gold's and the pipelines' annotation alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from .bootstrap import Counts, compare_counts, entity_counts, tag_counts
from .breakdowns import by_entity_length, by_sentence_length, without_conventions
from .calibration import (
    calibration_error,
    entity_outcomes,
    reliability_bins,
    tag_outcomes,
    threshold_curve,
)
from .confusion import tag_confusion, type_confusion
from .corpora import Annotation, GoldCorpus, published_figures
from .label_maps import Translated
from .metrics import SEQEVAL_DEFAULT, TAG_ACCURACY, ner_scores, tag_scores
from .results import Agreement, CorpusResult, Difference, Misaligned, Score, SystemScores


@dataclass(frozen=True)
class PipelineReading:
    """Holds one pipeline's annotation of a corpus, in gold's labels and on gold's words.

    threshold: the confidence below which the pipeline drops entities.
    """

    translated: Translated
    misaligned: list[Misaligned]
    unreachable: dict[str, int]
    threshold: float = 0.0

    @property
    def annotations(self) -> list[Annotation]:
        """Return the predictions, text by text."""
        return self.translated.annotations


def score_corpus(
    gold: GoldCorpus,
    readings: Mapping[str, PipelineReading],
    train_entities: set[tuple[str, ...]] | None,
) -> CorpusResult:
    """Compute the scores of every pipeline by its name, their differences and agreement."""
    annotations = {name: reading.annotations for name, reading in readings.items()}
    systems = [_system(gold, name, reading, train_entities) for name, reading in readings.items()]
    differences: list[Difference] = []
    if gold.has_gold:
        scored = {name: gold.where_annotated(guesses) for name, guesses in annotations.items()}
        systems, differences = _with_intervals(gold, systems, scored)
    return CorpusResult(
        path=str(gold.path),
        corpus=gold.corpus,
        part=gold.part,
        n_docs=len(gold.docs),
        n_words=gold.n_words,
        n_entities=gold.n_entities,
        systems=systems,
        published=published_figures(gold),
        has_gold=gold.has_gold,
        differences=differences,
        agreement=pairwise_agreement(annotations),
    )


def _system(
    gold: GoldCorpus,
    name: str,
    reading: PipelineReading,
    train_entities: set[tuple[str, ...]] | None,
) -> SystemScores:
    translated = reading.translated
    decided = translated.decided_by_gold.most_common()
    system = SystemScores(
        pipeline=name,
        unmapped_entities=dict(translated.unmapped_entities.most_common()),
        unmapped_tags=dict(translated.unmapped_tags.most_common()),
        decided_by_gold={label: n for label, n in decided if n > 0},
        unreachable_entities=reading.unreachable,
        misaligned=reading.misaligned,
    )
    if not gold.has_gold:
        return system
    predicted = gold.where_annotated(reading.annotations)
    pairs = list(zip(gold.annotations, predicted, strict=True))
    outcomes = {"ner": entity_outcomes(pairs), "tags": tag_outcomes(pairs)}
    with_tags = replace(
        system,
        tags=tag_scores(gold.annotations, predicted),
        tag_confusion=tag_confusion(pairs),
        tag_reliability=reliability_bins(outcomes["tags"]),
        calibration_error={
            layer: calibration_error(of_layer)
            for layer, of_layer in outcomes.items()
            if of_layer.right
        },
    )
    ner = ner_scores(gold.docs, gold.annotations, predicted, train_entities)
    if not ner:
        return with_tags
    with_entities = [
        (truth, guess)
        for truth, guess in pairs
        if truth.entities is not None and guess.entities is not None
    ]
    types, errors = type_confusion(with_entities)
    return replace(
        with_tags,
        ner=ner,
        by_sentence_length=by_sentence_length(with_entities),
        by_entity_length=by_entity_length(with_entities),
        conventions=without_conventions(with_entities),
        type_confusion=types,
        errors=errors,
        reliability=reliability_bins(outcomes["ner"]),
        thresholds=threshold_curve(with_entities, reading.threshold),
    )


def _with_intervals(
    gold: GoldCorpus,
    systems: Sequence[SystemScores],
    annotations: Mapping[str, Sequence[Annotation]],
) -> tuple[list[SystemScores], list[Difference]]:
    """Add the systems' intervals, and compute the differences of each pair with both scores."""
    counts: dict[str, dict[str, Counts]] = {
        SEQEVAL_DEFAULT: {
            system.pipeline: entity_counts(gold.annotations, annotations[system.pipeline])
            for system in systems
            if system.ner
        },
        TAG_ACCURACY: {
            system.pipeline: tag_counts(gold.annotations, annotations[system.pipeline])
            for system in systems
            if system.tags
        },
    }
    compared = {mode: compare_counts(mode, by_system) for mode, by_system in counts.items()}
    with_intervals = [
        replace(
            system,
            intervals={
                mode: intervals[system.pipeline]
                for mode, (intervals, _) in compared.items()
                if system.pipeline in intervals
            },
        )
        for system in systems
    ]
    return with_intervals, [
        difference for _, differences in compared.values() for difference in differences
    ]


# ---- agreement ------------------------------------------------------------------------------


def pairwise_agreement(readings: Mapping[str, Sequence[Annotation]]) -> list[Agreement]:
    """Compare every pair of pipelines with each other, in the order given; gold is not needed."""
    return [
        _agreement(first, second, readings[first], readings[second])
        for first, second in combinations(readings, 2)
    ]


def _agreement(
    first: str, second: str, left: Sequence[Annotation], right: Sequence[Annotation]
) -> Agreement:
    pairs = list(zip(left, right, strict=True))
    with_entities = all(a.entities is not None and b.entities is not None for a, b in pairs)
    n_first = sum(len(a.entities or ()) for a, _ in pairs)
    n_second = sum(len(b.entities or ()) for _, b in pairs)
    same = sum(len(set(a.entities or ()) & set(b.entities or ())) for a, b in pairs)
    bounds = sum(len(_bounds(a) & _bounds(b)) for a, b in pairs)
    tags = [
        mine == other
        for a, b in pairs
        for mine, other in zip(a.tags or (), b.tags or (), strict=False)
    ]
    return Agreement(
        first=first,
        second=second,
        entities=Score.of(same, n_first, n_second).f1 if with_entities else None,
        boundaries=Score.of(bounds, n_first, n_second).f1 if with_entities else None,
        n_first=n_first,
        n_second=n_second,
        tags=sum(tags) / len(tags) if tags else None,
    )


def _bounds(annotation: Annotation) -> set[tuple[int, int]]:
    return {(start, end) for start, end, _ in annotation.entities or ()}
