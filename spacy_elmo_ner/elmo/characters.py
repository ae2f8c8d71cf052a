"""Turn words into character ids, as official ELMo spells them.

A word is the UTF-8 bytes of its text between a begin and an end mark, padded to a fixed
number of slots. Sentence marks are separate words. Ids are shifted by one so that 0
stays free for "no character" (bilm-tf ``UnicodeCharsVocabulary``; AllenNLP ``elmo_indexer``).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors

BEGIN_SENTENCE, END_SENTENCE, BEGIN_WORD, END_WORD, PADDING = 256, 257, 258, 259, 260

# The marks as words. A user's token spelled like one is read as the mark: AllenNLP and
# bilm-tf do so, and being equal to them on every input is worth more than these two tokens.
BOS, EOS = "<S>", "</S>"


def word_to_ids(word: str, max_characters: int = 50) -> list[int]:
    """Return the character ids of one word, marks included, not padded: 2 to max_characters.

    Bytes past the last slot are cut, even inside a character. Lone surrogates are dropped.
    Raises TypeError for anything that is not a str.
    """
    if not isinstance(word, str):
        raise TypeError(Errors.EL015.format(value=word, type=type(word).__name__))
    if word == BOS:
        inner: Iterable[int] = (BEGIN_SENTENCE,)
    elif word == EOS:
        inner = (END_SENTENCE,)
    else:
        inner = word.encode("utf-8", "ignore")[: max_characters - 2]
    return [BEGIN_WORD + 1, *(i + 1 for i in inner), END_WORD + 1]


def words_to_ids(
    words: Sequence[str], max_characters: int = 50
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spell n_words str: char_ids (n_words, max_characters) int64, lengths (n_words,) int64."""
    char_ids = np.full((len(words), max_characters), PADDING + 1, dtype=np.int64)
    lengths = np.zeros(len(words), dtype=np.int64)
    for row, word in enumerate(words):
        ids = word_to_ids(word, max_characters)
        char_ids[row, : len(ids)] = ids
        lengths[row] = len(ids)
    return char_ids, lengths
