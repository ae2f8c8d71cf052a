"""How far the probabilities of entities can be trusted, and what a threshold would do with them.

Pure functions of gold Docs and the Docs that a pipeline with `elmo_ner` returned for them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.tokens import Doc

from ..decoding import Decoded, EntitySpan, drop_unlikely
from .elmo_ner import SPANS_KEY

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))  # 0, 0.05, ..., 0.95


class ScoredEntities(NamedTuple):
    """confidences: (n_entities,) float64 of all predicted; right: (n_entities,) bool, is exactly
    this span with this label in gold; n_gold: entities in gold."""

    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]
    n_gold: int


class OperatingPoint(NamedTuple):
    """precision, recall and their harmonic mean, in [0, 1], over exact spans with labels, where
    `elmo_ner` has this threshold."""

    threshold: float
    precision: float
    recall: float
    f: float


def decoded_entities(doc: Doc) -> Decoded:
    """The entities that `elmo_ner` set in this Doc, and the alternatives it kept.

    An entity of another pipe is not among them. Both are empty where no `elmo_ner` has been.
    """
    group = doc.spans.get(SPANS_KEY)
    if group is None:
        return Decoded([], [])
    set_here = {(ent.start, ent.end, ent.label) for ent in doc.ents}
    found = Decoded([], [])
    for span, score in zip(group, group.attrs["scores"], strict=True):
        is_entity = (span.start, span.end, span.label) in set_here
        one = EntitySpan(span.start, span.end, span.label_, float(score))
        (found.entities if is_entity else found.alternatives).append(one)
    return found


def scored_entities(
    gold: Iterable[Doc], predicted: Iterable[Doc], threshold: float = 0.0
) -> ScoredEntities:
    """The predicted entities with their confidence, as they would be with this threshold.

    gold, predicted: the same texts in the same tokens, predicted with threshold 0. Alternatives
    take a dropped entity's place as far down as the pipe kept them.
    """
    confidences, right, n_gold = [], [], 0
    for truth, guess in zip(gold, predicted, strict=True):
        wanted = {(ent.start, ent.end, ent.label_) for ent in truth.ents}
        found = decoded_entities(guess)
        for one in drop_unlikely(found.entities, found.alternatives, threshold):
            confidences.append(one.probability)
            right.append(one[:3] in wanted)
        n_gold += len(wanted)
    return ScoredEntities(np.asarray(confidences), np.asarray(right, dtype=bool), n_gold)


def precision_recall_curve(
    gold: Iterable[Doc], predicted: Iterable[Doc], thresholds: Sequence[float] = THRESHOLDS
) -> list[OperatingPoint]:
    """Precision and recall at each threshold. Arguments as in `scored_entities`."""
    gold, predicted = list(gold), list(predicted)
    points = []
    for threshold in thresholds:
        found = scored_entities(gold, predicted, threshold)
        n_right = int(found.right.sum())
        precision = n_right / len(found.right) if len(found.right) else 0.0
        recall = n_right / found.n_gold if found.n_gold else 0.0
        f = 2 * precision * recall / (precision + recall) if n_right else 0.0
        points.append(OperatingPoint(threshold, precision, recall, f))
    return points


def expected_calibration_error(confidences: ArrayLike, right: ArrayLike, n_bins: int = 10) -> float:
    """Mean gap between confidence and share right over bins of equal width, each weighted by
    what falls into it (Guo et al. 2017, equation 3): in [0, 1], 0.0 where there is nothing.

    confidences: (n,) floats in [0, 1]; right: (n,) bool.
    """
    sure, is_right = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if not len(sure):
        return 0.0
    bins = np.minimum((sure * n_bins).astype(np.int64), n_bins - 1)
    gaps = np.bincount(bins, weights=sure - is_right, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(sure))
