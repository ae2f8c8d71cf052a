"""Read sentences of any kind, and find the distinct words of a batch."""

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, shown
from .characters import BOS, EOS


def as_lists(sentences: Iterable[Iterable[str]]) -> list[list[str]]:
    """Read each sentence once and in order, whatever iterable holds it.

    Raises TypeError for a sentence that is a str or has no order, and for a word that is no str.
    """
    texts = []
    for i, sentence in enumerate(sentences):
        if isinstance(sentence, str):
            raise TypeError(Errors.EL012.format(value=sentence[:40]))
        if isinstance(sentence, (Set, Mapping)) or not isinstance(sentence, Iterable):
            kind = type(sentence).__name__
            raise TypeError(Errors.EL035.format(index=i, value=shown(sentence), type=kind))
        words = list(sentence)
        for word in words:
            if not isinstance(word, str):
                raise TypeError(Errors.EL015.format(value=word, type=type(word).__name__))
        texts.append(words)
    return texts


def distinct_words(
    sentences: Sequence[Sequence[str]],
) -> tuple[list[str], list[NDArray[np.int64]]]:
    """Return the distinct words of a batch, and each sentence as indices into them, with marks.

    n sentences -> n_words distinct words (BOS first, EOS second), n arrays (n_tokens + 2,).
    """
    index: dict[str, int] = {BOS: 0, EOS: 1}
    rows = []
    for sentence in sentences:
        ids = [0, *(index.setdefault(word, len(index)) for word in sentence), 1]
        rows.append(np.asarray(ids, dtype=np.int64))
    return list(index), rows
