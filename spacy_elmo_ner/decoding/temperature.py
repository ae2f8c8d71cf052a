"""The temperature that fits best, by golden section."""

import math
from collections.abc import Callable

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; a trained model's is between 0.5 and 3
TOLERANCE = 1e-3  # of the temperature, relative
_GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(loss: Callable[[float], float]) -> float:
    """The temperature with the lowest loss, within a thousandth of itself.

    loss: of a temperature. A negative log-likelihood is convex in one over the temperature, so
    it has one lowest point, and golden section (Kiefer 1953) finds it in 21 evaluations.
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
