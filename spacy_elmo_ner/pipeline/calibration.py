"""One temperature that makes a trained pipe's probabilities as sure as they are right (Guo et al.
2017)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..decoding import MISSING, Transitions, crf_losses, log_softmax
from ..decoding.temperature import fit_temperature


class ScoredBatch(NamedTuple):
    """emissions: (n_tokens, n_classes) float32; lengths: tokens of each Doc; gold: (n_tokens,)
    int64, classes or MISSING."""

    emissions: NDArray[np.float32]
    lengths: list[int]
    gold: NDArray[np.int64]


class Calibration(NamedTuple):
    """temperature; before, after: negative log-likelihood of gold with temperature 1 and with
    this one, nats per annotated token."""

    temperature: float
    before: float
    after: float


def calibrate(
    batches: Sequence[ScoredBatch], transitions: Callable[[float], Transitions] | None
) -> Calibration:
    """The temperature that makes gold most likely.

    transitions: what sequences score beside the emissions, over a temperature; None where tokens
        are read by themselves.
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
