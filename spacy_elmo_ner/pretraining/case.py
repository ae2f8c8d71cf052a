"""Spell some sentences in another case, so that the biLM also reads such text."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# As written first: its index is 0.
CASES: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper, str.title)


class CaseShares(NamedTuple):
    """Shares of sentences in lower, UPPER and Title Case, in [0, 1]; the others stay as written."""

    lower: float
    upper: float
    title: float

    def choose(self, n: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Draw the case of n sentences: (n,) indices into `CASES`, or None if all stay."""
        if not any(self):
            return None
        return np.searchsorted(1 - np.cumsum(self[::-1])[::-1], rng.random(n), side="right")
