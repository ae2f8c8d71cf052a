"""How far the probabilities of entities can be trusted, and what a threshold would do with them.

Pure functions of gold Docs and the Docs that a pipeline with `elmo_ner` returned for them.
"""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.tokens import Doc

from ..decoding import Decoded, drop_unlikely
from .stored_scores import decoded_entities

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))  # 0, 0.05, ..., 0.95

# An entity of gold: first token, one past the last, label.
Wanted = tuple[int, int, str]


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


def scored_entities(
    gold: Iterable[Doc], predicted: Iterable[Doc], threshold: float = 0.0
) -> ScoredEntities:
    """The predicted entities with their confidence, as they would be with this threshold.

    gold, predicted: the same texts in the same tokens, predicted with threshold 0. Alternatives
    take a dropped entity's place as far down as the pipe kept them.
    """
    return score_decoded(map(_wanted, gold), map(decoded_entities, predicted), threshold)


def score_decoded(
    wanted: Iterable[Set[Wanted]], found: Iterable[Decoded], threshold: float = 0.0
) -> ScoredEntities:
    """The same from the entities of gold and what was decoded, text by text."""
    confidences, right, n_gold = [], [], 0
    for truth, guess in zip(wanted, found, strict=True):
        for one in drop_unlikely(guess.entities, guess.alternatives, threshold):
            confidences.append(one.probability)
            right.append(one[:3] in truth)
        n_gold += len(truth)
    return ScoredEntities(np.asarray(confidences), np.asarray(right, dtype=bool), n_gold)


def precision_recall_curve(
    gold: Iterable[Doc], predicted: Iterable[Doc], thresholds: Sequence[float] = THRESHOLDS
) -> list[OperatingPoint]:
    """Precision and recall at each threshold. Arguments as in `scored_entities`."""
    wanted, found = list(map(_wanted, gold)), list(map(decoded_entities, predicted))
    return [operating_point(wanted, found, threshold) for threshold in thresholds]


def operating_point(
    wanted: Iterable[Set[Wanted]], found: Iterable[Decoded], threshold: float
) -> OperatingPoint:
    """Precision and recall at one threshold. Arguments as in `score_decoded`."""
    scored = score_decoded(wanted, found, threshold)
    n_right = int(scored.right.sum())
    precision = n_right / len(scored.right) if len(scored.right) else 0.0
    recall = n_right / scored.n_gold if scored.n_gold else 0.0
    f = 2 * precision * recall / (precision + recall) if n_right else 0.0
    return OperatingPoint(threshold, precision, recall, f)


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


def _wanted(gold: Doc) -> set[Wanted]:
    return {(ent.start, ent.end, ent.label_) for ent in gold.ents}
