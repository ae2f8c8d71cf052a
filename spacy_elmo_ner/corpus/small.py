"""Choose how long to train on a corpus that is smaller than the configs' own budgets are for.

Two thousand sentences need thirty passes, which are 1,400 steps: 600 lost 4 F1. With one or two
hundred sentences, 300 steps are as good as 600 (benchmarks/results/steps.json, from
`python -m benchmarks.yardstick benchmarks/experiments/steps.json`).
"""

from math import ceil

# A corpus with fewer tokens is small: it is passed over many times, and copies in other case cost
# it more than they gain.
SMALL_CORPUS_TOKENS = 100_000

# How often a training on one measures the dev part, of which it keeps the best.
EVALUATIONS = 6

_PASSES = 30
_FEWEST_STEPS = 300
# Words per batch in configs/ner.cfg and configs/elmo.cfg.
_BATCH_WORDS = 1200


def steps_for(n_tokens: int) -> int:
    """Return the steps for a small corpus, with batches of 1,200 words."""
    return max(_FEWEST_STEPS, _PASSES * n_tokens // _BATCH_WORDS)


def epochs_for(n_tokens: int) -> int:
    """Return the passes over a small corpus that read as much as `steps_for` its tokens."""
    return ceil(steps_for(n_tokens) * _BATCH_WORDS / max(1, n_tokens))
