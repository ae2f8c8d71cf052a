"""Compute sums and maxima over the first axis of arrays of scores."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LOWEST = np.finfo(np.float64).min
_TINY = np.finfo(np.float64).tiny


def log_sum_exp(scores: Floats) -> Floats:
    """Return log(sum(exp(scores))) over the first axis; -inf where all are. Overwrites `scores`."""
    highest = np.maximum.reduce(scores, axis=0, initial=-np.inf)
    # Where all are -inf, -inf - -inf would be NaN and log(0) a warning; `highest` makes it -inf.
    scores -= np.maximum(highest, _LOWEST)
    np.exp(scores, out=scores)
    sums = np.add.reduce(scores, axis=0)
    np.maximum(sums, _TINY, out=sums)
    np.log(sums, out=sums)
    sums += highest
    return sums


def best_first(scores: Floats, n: int) -> tuple[Ints, Floats]:
    """Return indices and values of the n highest along the first axis; all if there are fewer.

    Among equals the lower index comes first.
    """
    order = np.argsort(-scores, axis=0, kind="stable")[:n]
    return order, np.take_along_axis(scores, order, axis=0)
