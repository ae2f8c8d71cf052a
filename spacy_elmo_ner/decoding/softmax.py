"""Each token on its own: log-probabilities of its labels, and the best one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .emissions import check_emissions


def log_softmax(emissions: ArrayLike) -> NDArray[np.float64]:
    """Log-probabilities in nats: (n_tokens, n_labels) -> (n_tokens, n_labels) float64.

    Raises ValueError for another shape, NaN or +inf, or a token all of whose labels are -inf.
    """
    scores = check_emissions(emissions, [len(np.asarray(emissions))])
    highest = scores.max(axis=1, keepdims=True)
    impossible = np.flatnonzero(highest == -np.inf)
    if len(impossible):
        raise ValueError(Errors.EL165.format(token=impossible[0]))
    # Contiguous rows are summed in the same order whatever the batch.
    shifted = np.subtract(scores, highest, order="C")
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def best_labels(emissions: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Best label of each token and its probability: (n_tokens, n_labels) -> two (n_tokens,).

    Of equal scores the lowest label wins. Raises ValueError as `log_softmax` does.
    """
    log_probabilities = log_softmax(emissions)
    # From the scores themselves: rounding could make equals of two that differ.
    ids = np.asarray(emissions).argmax(axis=1)
    return ids, np.exp(log_probabilities[np.arange(len(ids)), ids])
