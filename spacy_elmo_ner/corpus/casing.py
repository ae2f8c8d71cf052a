"""Words as people type them: all in lower case, in capitals, as in headlines, as on a phone."""

from collections.abc import Callable, Mapping, Sequence


def capitalized(word: str) -> str:
    """The word with a capital first letter; "NATO" and "McDonald" stay as they are."""
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
