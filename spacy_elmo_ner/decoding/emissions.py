"""The check every decoder makes of the scores it is given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors


def check_emissions(emissions: ArrayLike, lengths: ArrayLike) -> NDArray[np.float64]:
    """Scores (n_tokens, n_labels) of documents with these lengths (n_docs,), as float64.

    float64 holds float32 scores exactly, and their sums over thousands of tokens closely. -inf
    is a label that is forbidden at a token. Raises ValueError for another shape, for lengths
    that do not add up, and for NaN or +inf, naming document, token and label.
    """
    scores = np.asarray(emissions, dtype=np.float64)
    if scores.ndim != 2 or not scores.shape[1]:
        raise ValueError(Errors.EL154.format(found=scores.shape, expected="(n_tokens, n_labels)"))
    sizes = np.asarray(lengths, dtype=np.int64)
    if sizes.ndim != 1 or (sizes < 0).any() or sizes.sum() != len(scores):
        raise ValueError(Errors.EL156.format(found=sizes.tolist(), n_tokens=len(scores)))
    wrong = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if len(wrong):
        row, label = wrong[0].tolist()
        ends = np.cumsum(sizes)
        doc = int(np.searchsorted(ends, row, side="right"))
        token = row - int(ends[doc] - sizes[doc])
        raise ValueError(
            Errors.EL155.format(label=label, token=token, doc=doc, value=scores[row, label])
        )
    return scores
