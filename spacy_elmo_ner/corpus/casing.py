"""Write words in another case: all lower, in capitals, as in headlines, as on a phone."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def capitalized(word: str) -> str:
    """Return the word with a capital first letter; "NATO" and "McDonald" stay as they are."""
    return word[:1].upper() + word[1:]


def _lower(words: Sequence[str]) -> list[str]:
    return [word.lower() for word in words]


def _upper(words: Sequence[str]) -> list[str]:
    return [word.upper() for word in words]


def _title(words: Sequence[str]) -> list[str]:
    return [capitalized(word) for word in words]


def _first_word(words: Sequence[str]) -> list[str]:
    lower = _lower(words)
    # Quotes and dashes before it have no case.
    first = next((i for i, word in enumerate(lower) if word[:1].isalpha()), None)
    return [capitalized(word) if i == first else word for i, word in enumerate(lower)]


# The words of a text -> the same words in another case.
CASES: Mapping[str, Callable[[Sequence[str]], list[str]]] = {
    "lower": _lower,
    "upper": _upper,
    "title": _title,
    "first_word": _first_word,
}

# How pre-training spells a single word; as it is written comes first, at index 0. Title case is
# Python's here, so "NATO" becomes "Nato": a biLM is to know such spellings too.
SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper, str.title)


class CaseShares(NamedTuple):
    """Holds the shares of sentences that pre-training reads in another case, each in [0, 1]."""

    lower: float
    upper: float
    title: float

    def choose(self, n: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Draw the case of n sentences: (n,) indices into `SPELLINGS`, or None if all stay."""
        if not any(self):
            return None
        return np.searchsorted(1 - np.cumsum(self[::-1])[::-1], rng.random(n), side="right")
