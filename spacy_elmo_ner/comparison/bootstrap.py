"""Compute by paired bootstrap how much a score, or a difference, depends on the choice of texts.

Berg-Kirkpatrick et al. 2012, "An empirical investigation of statistical significance in NLP". The
unit is the text, because errors within one text are not independent, and every pipeline is scored
on the same draws.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from .corpora import Annotation, scored_tags
from .results import Difference, Interval

DRAWS = 2000
SEED = 2021

# Draws in memory at once: their weights are (this, n_texts) int64.
CHUNK = 100

# An interval from fewer texts than this would look more certain than it is.
MIN_TEXTS = 10

# One row per text: items that are right, predicted and in gold, (n_texts, 3) int64.
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def entity_counts(gold: Sequence[Annotation], predicted: Sequence[Annotation]) -> Counts:
    """Count exact matches of entities by text; a text without an entity layer counts 0."""
    rows = []
    for truth, guess in zip(gold, predicted, strict=True):
        if truth.entities is None or guess.entities is None:
            rows.append((0, 0, 0))
            continue
        right = len(set(truth.entities) & set(guess.entities))
        rows.append((right, len(guess.entities), len(truth.entities)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def tag_counts(gold: Sequence[Annotation], predicted: Sequence[Annotation]) -> Counts:
    """Count words with the right tag by text, over the words on which tags are scored.

    Predicted and gold counts are equal, so F1 of the counts is accuracy.
    """
    rows = []
    for truth, guess in zip(gold, predicted, strict=True):
        scored = [tag == guessed for _, tag, guessed in scored_tags(truth, guess)]
        rows.append((sum(scored), len(scored), len(scored)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def f1_of(counts: npt.NDArray[np.generic]) -> Floats:
    """Compute F1 (...) from sums of right, predicted and gold items (..., 3); 0 of nothing."""
    sums = counts.astype(np.float64)
    items = sums[..., 1] + sums[..., 2]
    return np.divide(2 * sums[..., 0], items, out=np.zeros_like(items), where=items > 0)


def bootstrap_f1(counts: Sequence[Counts], draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Compute F1 (n_systems, draws) of every system on the same ``draws`` samples of the texts."""
    n_texts = len(counts[0])
    stacked = np.stack(counts, axis=1).reshape(n_texts, -1).astype(np.float64)
    generator = np.random.default_rng(seed)
    sums = [
        # How often each text is drawn: a draw is then one row of a matrix product.
        generator.multinomial(n_texts, np.full(n_texts, 1 / n_texts), size=size) @ stacked
        for size in _chunks(draws)
    ]
    return f1_of(np.concatenate(sums).reshape(draws, len(counts), 3)).T


def compare_counts(
    mode: str, counts: Mapping[str, Counts], draws: int = DRAWS, seed: int = SEED
) -> tuple[dict[str, Interval], list[Difference]]:
    """Compute each system's interval and every pair's difference in one metric.

    Both are empty for fewer than ``MIN_TEXTS`` texts with an item in them.
    """
    names = list(counts)
    if not names or sum(1 for row in counts[names[0]] if row[1:].any()) < MIN_TEXTS:
        return {}, []
    scores = dict(zip(names, bootstrap_f1(list(counts.values()), draws, seed), strict=True))
    observed = {name: float(f1_of(by_text.sum(axis=0))) for name, by_text in counts.items()}
    intervals = {name: _interval(drawn) for name, drawn in scores.items()}
    differences = []
    for first, second in combinations(names, 2):
        drawn = scores[first] - scores[second]
        difference = observed[first] - observed[second]
        # If there were no difference, how often would a draw be at least this far from it?
        extreme = int((np.abs(drawn - difference) >= abs(difference)).sum())
        p_value = (extreme + 1) / (draws + 1)
        differences.append(Difference(mode, first, second, difference, _interval(drawn), p_value))
    return intervals, differences


def _interval(drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(low), float(high))


def _chunks(draws: int) -> list[int]:
    whole, rest = divmod(draws, CHUNK)
    return [CHUNK] * whole + ([rest] if rest else [])
