"""Find annotations that a model which never saw them confidently contradicts.

Confident learning, Northcutt et al. 2021. How much confidence is enough depends on the label: if a
model gives the tokens annotated as an event 0.4 on average, 0.4 is enough for an event. This is a
few lines of arithmetic, plus the bound `SURE`. On GMB's dev part it found all 800 tokens that
cleanlab 2.9 finds with filter_by="confident_learning", and 143 more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..decoding import MISSING

# Enough for any label. The average of an easy label is 0.99 and more, and half of the tokens that
# clearly have it are below that.
SURE = 0.9


class Suspects(NamedTuple):
    """Lists the tokens whose annotation is probably wrong, most suspicious first.

    rows: (n,) int64, places in the probabilities. suggested: (n,) int64, the probable class.
    margins: (n,) float64 in (-1, 1], how much more probable it is than the annotation.
    """

    rows: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margins: NDArray[np.float64]


def find_suspects(probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> Suspects:
    """Find tokens whose most probable confident class is not the annotated one.

    probabilities: (n_tokens, n_classes), of a model that was not trained on these tokens. gold:
    (n_tokens,), annotated classes, or MISSING, which is never suspicious.

    A class is confident at a token if it is at least as probable there as on average where it is
    annotated (equation 2 of the paper), or as `SURE`.
    """
    rows = np.flatnonzero(gold != MISSING)
    p, annotated = probabilities[rows], gold[rows]
    n_classes = probabilities.shape[1]
    of_gold = p[np.arange(len(rows)), annotated]
    counts = np.bincount(annotated, minlength=n_classes)
    sums = np.bincount(annotated, weights=of_gold, minlength=n_classes)
    averages = np.divide(sums, counts, out=np.full(n_classes, SURE), where=counts > 0)
    confident = np.where(p >= np.minimum(averages, SURE), p, -1.0)
    suggested = confident.argmax(axis=1)
    highest = confident.max(axis=1, initial=-1.0)
    suspicious = np.flatnonzero((highest >= 0) & (suggested != annotated))
    margins = highest[suspicious] - of_gold[suspicious]
    order = np.argsort(-margins, kind="stable")
    return Suspects(rows[suspicious][order], suggested[suspicious][order], margins[order])
