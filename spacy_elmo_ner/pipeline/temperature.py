"""Fit the temperature that calibrates a trained pipe's probabilities (Guo et al. 2017).

Of entities scored 0.8, about 80 % are then right.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..decoding import MISSING, Transitions, crf_losses, log_softmax

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; a trained model's is between 0.5 and 3
TOLERANCE = 1e-3  # of the temperature, relative
_END = 1.01  # so near to an end, relative, the search did not turn back
_GOLDEN = (math.sqrt(5) - 1) / 2


class ScoredBatch(NamedTuple):
    """Holds the scores of some Docs, and their gold.

    emissions: (n_tokens, n_classes) float32; lengths: tokens of each Doc; gold: (n_tokens,) int64,
    classes or MISSING.
    """

    emissions: NDArray[np.float32]
    lengths: list[int]
    gold: NDArray[np.int64]


class Calibration(NamedTuple):
    """Holds the temperature that was fitted, and what it has changed.

    before, after: negative log-likelihood of gold with temperature 1 and with this one, in nats per
    annotated token.
    """

    temperature: float
    before: float
    after: float

    @property
    def is_at_end(self) -> bool:
        """Tell whether the search ended at one of its ends: no temperature between them is best."""
        return not LOWEST * _END < self.temperature < HIGHEST / _END


def calibrate(
    batches: Sequence[ScoredBatch], transitions: Callable[[float], Transitions] | None
) -> Calibration:
    """Find the temperature that makes gold most likely.

    transitions: maps a temperature to the scores of sequences; None if tokens are independent.
    """
    n_annotated = sum(int((batch.gold != MISSING).sum()) for batch in batches)

    def loss(temperature: float) -> float:
        total = 0.0
        for batch in batches:
            scores = batch.emissions / temperature
            if transitions is not None:
                learned = transitions(temperature)
                total += float(crf_losses(scores, batch.lengths, batch.gold, learned).sum())
                continue
            annotated = np.flatnonzero(batch.gold != MISSING)
            log_p = log_softmax(scores[annotated])
            total -= float(log_p[np.arange(len(annotated)), batch.gold[annotated]].sum())
        return total / n_annotated

    temperature = fit_temperature(loss)
    return Calibration(temperature, before=loss(1.0), after=loss(temperature))


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Find the temperature with the lowest loss, to a thousandth of itself.

    loss: maps a temperature to a loss. A negative log-likelihood is convex in the temperature's
    inverse, so it has one minimum, which golden section (Kiefer 1953) finds in 21 evaluations.
    """
    low, high = math.log(LOWEST), math.log(HIGHEST)
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    losses = [loss(math.exp(x)) for x in inner]
    while high - low > TOLERANCE:
        if losses[0] <= losses[1]:
            high = inner[1]
            inner = [high - _GOLDEN * (high - low), inner[0]]
            losses = [loss(math.exp(inner[0])), losses[0]]
        else:
            low = inner[0]
            inner = [inner[1], low + _GOLDEN * (high - low)]
            losses = [losses[1], loss(math.exp(inner[1]))]
    return math.exp((low + high) / 2)
