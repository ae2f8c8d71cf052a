"""Are entities and tags as often right as their pipeline is sure of them?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..pipeline.confidence import expected_calibration_error
from .breakdown import Pairs
from .findings import ReliabilityBin

N_BINS = 10


class Outcomes(NamedTuple):
    """The confidence of each prediction that has one, and whether it is what gold has."""

    confidences: list[float]
    right: list[bool]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error over the bins of `reliability_bins`."""
        return expected_calibration_error(self.confidences, self.right, N_BINS)


def entity_outcomes(pairs: Pairs) -> Outcomes:
    """Predicted entities; right: same words and label as in gold."""
    found = Outcomes([], [])
    for truth, guess in pairs:
        if truth.entities is None:
            continue
        wanted = set(truth.entities)
        for span in guess.entities or ():
            if span[:2] in guess.confidence:
                found.confidences.append(guess.confidence[span[:2]])
                found.right.append(span in wanted)
    return found


def tag_outcomes(pairs: Pairs) -> Outcomes:
    """Predicted tags of the words that the tag accuracy counts."""
    found = Outcomes([], [])
    for truth, guess in pairs:
        if not (truth.tags and guess.tags and guess.tag_confidence):
            continue
        columns = zip(truth.words, truth.tags, guess.tags, guess.tag_confidence, strict=True)
        for word, true_tag, tag, confidence in columns:
            if true_tag and word.strip() and not math.isnan(confidence):
                found.confidences.append(confidence)
                found.right.append(tag == true_tag)
    return found


def reliability_bins(outcomes: Outcomes) -> list[ReliabilityBin]:
    """Predictions by confidence, in bins of equal width that hold any."""
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


def together(bins: Sequence[ReliabilityBin]) -> ReliabilityBin | None:
    """All bins as one: how many, how sure, how often right; None for none."""
    n = sum(each.n for each in bins)
    if n == 0:
        return None
    mean = sum(each.n * each.mean_confidence for each in bins) / n
    right = sum(each.n * each.share_right for each in bins) / n
    return ReliabilityBin(bins[0].low, bins[-1].high, n, mean, right)
