"""Check the scores that every decoder starts from, and normalize them per token."""

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .reductions import Floats


def check_emissions(emissions: ArrayLike, lengths: ArrayLike) -> Floats:
    """Return the scores (n_tokens, n_labels) of documents with lengths (n_docs,) as float64.

    float64 holds float32 scores exactly, and sums over thousands of tokens closely. -inf forbids
    a label at a token. Raises ValueError for another shape, for lengths that do not add up, and
    for NaN or +inf, naming document, token and label.
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


def log_softmax(emissions: ArrayLike) -> Floats:
    """Return log-probabilities in nats, (n_tokens, n_labels) float64, for each token alone.

    Raises ValueError for another shape, NaN or +inf, or a token whose labels are all -inf.
    """
    scores = check_emissions(emissions, [len(np.asarray(emissions))])
    highest = scores.max(axis=1, keepdims=True)
    impossible = np.flatnonzero(highest == -np.inf)
    if len(impossible):
        raise ValueError(Errors.EL165.format(token=impossible[0]))
    # Contiguous rows are summed in the same order in any batch.
    shifted = np.subtract(scores, highest, order="C")
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
