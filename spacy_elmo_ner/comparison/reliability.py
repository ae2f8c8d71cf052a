"""Are entities as often right as their pipeline is sure of them?"""

from collections.abc import Sequence

from .breakdown import Pairs
from .findings import ReliabilityBin

N_BINS = 10


def reliability(pairs: Pairs) -> list[ReliabilityBin]:
    """Predicted entities by confidence, in bins of equal width that hold any.

    Empty for pipelines that give no confidence. Right: same words and label as in gold.
    """
    sums = [[0.0, 0, 0] for _ in range(N_BINS)]  # confidence, right, entities
    for truth, guess in pairs:
        right = set(truth.entities or ())
        for span in guess.entities or ():
            confidence = guess.confidence.get(span[:2])
            if confidence is None:
                continue
            cell = sums[min(int(confidence * N_BINS), N_BINS - 1)]
            cell[0] += confidence
            cell[1] += span in right
            cell[2] += 1
    return [
        ReliabilityBin(
            low=index / N_BINS,
            high=(index + 1) / N_BINS,
            n=int(n),
            mean_confidence=confidence / n,
            share_right=right / n,
        )
        for index, (confidence, right, n) in enumerate(sums)
        if n
    ]


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean gap between confidence and share right, weighted by entities (Guo et al. 2017)."""
    total = sum(each.n for each in bins)
    if total == 0:
        return 0.0
    return sum(each.n * abs(each.mean_confidence - each.share_right) for each in bins) / total
