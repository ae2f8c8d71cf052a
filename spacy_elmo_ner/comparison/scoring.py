"""Everything that is scored on one corpus, from gold's and the pipelines' annotation alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .agreement import pairwise_agreement
from .annotation import Annotation
from .breakdown import by_entity_length, by_sentence_length
from .confusion import tag_confusion, type_confusion
from .conventions import conventions_aside
from .findings import Difference, Misaligned
from .gold import GoldCorpus, published_figures
from .mapping import Translated
from .metrics import SEQEVAL_DEFAULT, TAG_ACCURACY, ner_scores, tag_scores
from .reliability import entity_outcomes, reliability_bins, tag_outcomes
from .results import CorpusResult, SystemScores
from .statistics import Counts, compare_counts, entity_counts, tag_counts
from .thresholds import threshold_curve


@dataclass(frozen=True)
class Reading:
    """What one pipeline made of a corpus, in gold's labels and on gold's words.

    threshold: below which confidence the pipeline drops entities.
    """

    translated: Translated
    misaligned: list[Misaligned]
    unreachable: dict[str, int]
    threshold: float = 0.0

    @property
    def annotations(self) -> list[Annotation]:
        return self.translated.annotations


def score_corpus(
    gold: GoldCorpus,
    readings: Mapping[str, Reading],
    train_entities: set[tuple[str, ...]] | None,
) -> CorpusResult:
    """Scores of every pipeline by its name, differences, and agreement."""
    systems = [_system(gold, name, each, train_entities) for name, each in readings.items()]
    annotations = {name: each.annotations for name, each in readings.items()}
    differences: list[Difference] = []
    if gold.has_gold:
        scored = {name: where_annotated(gold, each) for name, each in annotations.items()}
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


def where_annotated(gold: GoldCorpus, predicted: Sequence[Annotation]) -> list[Annotation]:
    """Return the predictions that gold can be asked about, text by text."""
    pairs = zip(gold.annotations, predicted, strict=True)
    return [guess.within(truth) for truth, guess in pairs]


def _system(
    gold: GoldCorpus, name: str, reading: Reading, train_entities: set[tuple[str, ...]] | None
) -> SystemScores:
    translated = reading.translated
    predicted = where_annotated(gold, reading.annotations)
    system = SystemScores(
        pipeline=name,
        unmapped_entities=dict(translated.unmapped_entities.most_common()),
        unmapped_tags=dict(translated.unmapped_tags.most_common()),
        decided_by_gold={
            label: n for label, n in translated.decided_by_gold.most_common() if n > 0
        },
        unreachable_entities=reading.unreachable,
        misaligned=reading.misaligned,
    )
    if not gold.has_gold:
        return system
    both = list(zip(gold.annotations, predicted, strict=True))
    sure = {"ner": entity_outcomes(both), "tags": tag_outcomes(both)}
    with_tags = replace(
        system,
        tags=tag_scores(gold.annotations, predicted),
        tag_confusion=tag_confusion(both),
        tag_reliability=reliability_bins(sure["tags"]),
        calibration_error={
            layer: each.calibration_error for layer, each in sure.items() if each.right
        },
    )
    ner = ner_scores(gold.docs, gold.annotations, predicted, train_entities)
    if not ner:
        return with_tags
    pairs = [
        (truth, guess)
        for truth, guess in both
        if truth.entities is not None and guess.entities is not None
    ]
    types, errors = type_confusion(pairs)
    return replace(
        with_tags,
        ner=ner,
        by_sentence_length=by_sentence_length(pairs),
        by_entity_length=by_entity_length(pairs),
        conventions=conventions_aside(pairs),
        type_confusion=types,
        errors=errors,
        reliability=reliability_bins(sure["ner"]),
        thresholds=threshold_curve(pairs, reading.threshold),
    )


def _with_intervals(
    gold: GoldCorpus,
    systems: Sequence[SystemScores],
    annotations: Mapping[str, Sequence[Annotation]],
) -> tuple[list[SystemScores], list[Difference]]:
    """The systems with their intervals, and the differences of each pair that has both scores."""
    counts: dict[str, dict[str, Counts]] = {
        SEQEVAL_DEFAULT: {
            each.pipeline: entity_counts(gold.annotations, annotations[each.pipeline])
            for each in systems
            if each.ner
        },
        TAG_ACCURACY: {
            each.pipeline: tag_counts(gold.annotations, annotations[each.pipeline])
            for each in systems
            if each.tags
        },
    }
    found = {mode: compare_counts(mode, each) for mode, each in counts.items()}
    with_intervals = [
        replace(
            system,
            intervals={
                mode: intervals[system.pipeline]
                for mode, (intervals, _) in found.items()
                if system.pipeline in intervals
            },
        )
        for system in systems
    ]
    return with_intervals, [each for _, differences in found.values() for each in differences]
