"""Compare confidence with the share that is right, and score each threshold of confidence."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..decoding import Decoded, EntitySpan, drop_unlikely
from .corpora import Annotation, Pairs, scored_tags
from .results import ReliabilityBin, Score, ThresholdCurve, ThresholdPoint

N_BINS = 10

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))  # 0, 0.05, ..., 0.95


class Outcomes(NamedTuple):
    """Holds the confidence of each prediction that has one, and whether it is right."""

    confidences: list[float]
    right: list[bool]


def entity_outcomes(pairs: Pairs) -> Outcomes:
    """Collect predicted entities; right means the same words and label as in gold."""
    outcomes = Outcomes([], [])
    for truth, guess in pairs:
        if truth.entities is None:
            continue
        gold = set(truth.entities)
        for span in guess.entities or ():
            if span[:2] in guess.confidence:
                outcomes.confidences.append(guess.confidence[span[:2]])
                outcomes.right.append(span in gold)
    return outcomes


def tag_outcomes(pairs: Pairs) -> Outcomes:
    """Collect predicted tags of the words on which tags are scored."""
    outcomes = Outcomes([], [])
    for truth, guess in pairs:
        if guess.tag_confidence:
            for index, tag, guessed in scored_tags(truth, guess):
                confidence = guess.tag_confidence[index]
                if not math.isnan(confidence):
                    outcomes.confidences.append(confidence)
                    outcomes.right.append(tag == guessed)
    return outcomes


# ---- calibration ----------------------------------------------------------------------------


def reliability_bins(outcomes: Outcomes) -> list[ReliabilityBin]:
    """Group predictions by confidence in bins of equal width; empty bins are left out."""
    cells: list[list[tuple[float, bool]]] = [[] for _ in range(N_BINS)]
    for confidence, right in zip(*outcomes, strict=True):
        cells[min(int(confidence * N_BINS), N_BINS - 1)].append((confidence, right))
    return [
        ReliabilityBin(
            low=index / N_BINS,
            high=(index + 1) / N_BINS,
            n=len(cell),
            mean_confidence=math.fsum(confidence for confidence, _ in cell) / len(cell),
            share_right=sum(right for _, right in cell) / len(cell),
        )
        for index, cell in enumerate(cells)
        if cell
    ]


def calibration_error(outcomes: Outcomes) -> float:
    """Compute the expected calibration error (Guo et al. 2017, equation 3), in [0, 1].

    That is the mean gap between confidence and share right over `reliability_bins`, weighted by
    the number of predictions; 0.0 without predictions.
    """
    gaps = (
        cell.n * abs(cell.mean_confidence - cell.share_right) for cell in reliability_bins(outcomes)
    )
    return math.fsum(gaps) / max(1, len(outcomes.confidences))


def together(bins: Sequence[ReliabilityBin]) -> ReliabilityBin | None:
    """Combine all bins into one; None for none."""
    n = sum(cell.n for cell in bins)
    if n == 0:
        return None
    mean = sum(cell.n * cell.mean_confidence for cell in bins) / n
    right = sum(cell.n * cell.share_right for cell in bins) / n
    return ReliabilityBin(bins[0].low, bins[-1].high, n, mean, right)


# ---- thresholds -----------------------------------------------------------------------------


def threshold_curve(pairs: Pairs, own: float) -> ThresholdCurve | None:
    """Score exact matches at each threshold from ``own`` up; None without confidences.

    own: the threshold the pipeline ran with. There are no points below it, as what it dropped is
    unknown. From it up, each point is what the pipeline does with that threshold.
    """
    if not any(guess.confidence for _, guess in pairs):
        return None
    gold = [set(truth.entities or ()) for truth, _ in pairs]
    predicted = [_decoded(guess) for _, guess in pairs]
    points = []
    for threshold in sorted({own, *(higher for higher in THRESHOLDS if higher > own)}):
        kept = [drop_unlikely(*decoded, threshold) for decoded in predicted]
        right = sum(
            sum(span[:3] in truth for span in spans)
            for truth, spans in zip(gold, kept, strict=True)
        )
        score = Score.of(right, sum(map(len, kept)), sum(map(len, gold)))
        # If nothing right is left, precision means nothing.
        if right:
            point = ThresholdPoint(threshold, score.precision, score.recall, score.f1)
            points.append(point)
    return ThresholdCurve(own, points)


def _decoded(guess: Annotation) -> Decoded:
    """Return the entities with probabilities; one without belongs to another pipe, and is kept."""
    entities = [
        EntitySpan(*span, guess.confidence.get(span[:2], 1.0)) for span in guess.entities or ()
    ]
    return Decoded(entities, list(guess.alternatives))
