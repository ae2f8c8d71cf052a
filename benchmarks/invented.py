"""Invent words: memory only shows what it does with new words where some are ever new."""

import random
import string


def invented_word(rng: random.Random) -> str:
    """Return a word of 5 to 10 letters, a third of them capitalized, hardly ever the same."""
    word = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(5, 10)))
    return word.capitalize() if rng.random() < 1 / 3 else word
