"""Which annotations a model that never saw them is sure are wrong (Northcutt et al. 2021).

What is sure depends on the label: a model that gives the tokens annotated as an event 0.4 on
average is sure of an event from 0.4 on. Written out here, because it is a few lines of arithmetic,
and because of SURE. On the GMB's dev part it found all 800 tokens that cleanlab 2.9 finds with
filter_by="confident_learning", and 143 more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..decoding import MISSING

# Sure whatever the label. The average of a label that is easy is 0.99 and more, and half of what is
# clearly that label lies below it.
SURE = 0.9


class Suspects(NamedTuple):
    """Tokens whose annotation is probably wrong, most suspicious first.

    rows: (n,) int64, places in the probabilities. suggested: (n,) int64, the class each probably
    has. margins: (n,) float64 in (-1, 1], by how much it is more probable than the annotation.
    """

    rows: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margins: NDArray[np.float64]


def find_suspects(probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> Suspects:
    """probabilities: (n_tokens, n_classes), of a model that was not trained on these tokens.
    gold: (n_tokens,), annotated classes, or MISSING, which is never suspicious.

    A token is suspicious if the most probable of the classes it surely could have is not the one
    it is annotated with; it surely could have a class if that is as probable here as it is on
    average where it is annotated (equation 2 of the paper), or as SURE.
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
    found = np.flatnonzero((highest >= 0) & (suggested != annotated))
    margins = highest[found] - of_gold[found]
    order = np.argsort(-margins, kind="stable")
    return Suspects(rows[found][order], suggested[found][order], margins[order])
