from collections.abc import Sequence

import torch
from torch import Tensor

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.caches import WordCache


class Speller:
    """Spells a word as its first letter's number, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str]) -> Tensor:
        self.asked += words
        return torch.tensor([[float(ord(word[0])), 1.0] for word in words])


def _check(cache: WordCache, words: list[str], spell: Speller) -> None:
    expected = [[float(ord(word[0])), 1.0] for word in words]
    assert cache.get(words, spell).tolist() == expected


def test_a_word_is_spelled_out_once() -> None:
    spell, cache = Speller(), WordCache(2, longest=5)
    _check(cache, ["a", "b"], spell)
    _check(cache, ["b", "c", "a"], spell)
    _check(cache, ["c", "b"], spell)
    assert spell.asked == ["a", "b", "c"]


def test_a_full_cache_starts_afresh_and_never_grows() -> None:
    spell, cache = Speller(), WordCache(2, longest=5, capacity=3)
    for words in (["a", "b"], ["c", "d"], ["a", "d"], ["e", "f", "g", "h", "i"], ["e", "h"]):
        _check(cache, words, spell)
        assert len(cache) <= 3


def test_long_words_are_not_kept() -> None:
    spell, cache = Speller(), WordCache(2, longest=5)
    _check(cache, ["abcdef", "b"], spell)
    _check(cache, ["b", "abcdef"], spell)
    assert spell.asked == ["abcdef", "b", "abcdef"] and len(cache) == 1


def test_a_change_of_weights_empties_it(tiny_bilm: BiLM) -> None:
    (before,) = tiny_bilm.embed([["cat"]])
    with torch.no_grad():
        tiny_bilm.char_cnn.projection.bias.add_(1)
    (after,) = tiny_bilm.embed([["cat"]])
    assert (abs(after[0] - before[0] - 1) < 1e-5).all()


def test_training_never_reads_it(tiny_bilm: BiLM) -> None:
    tiny_bilm.embed([["cat"]])
    (layers,), _ = tiny_bilm.run([["cat"]])
    assert layers.requires_grad
