"""A tenth is held out, the same one in any order, and nothing stands on both sides."""

import random
from pathlib import Path

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.own.hold_out import hold_out
from spacy_elmo_ner.corpus.own.texts import OwnText

VOCAB = Vocab()


def texts(words: list[str], documents: list[int] | None = None) -> list[OwnText]:
    numbers = documents or [None] * len(words)
    return [
        OwnText(Doc(VOCAB, words=[word]), Path("x"), f"line {i}", number)
        for i, (word, number) in enumerate(zip(words, numbers, strict=True))
    ]


def words(found: list[OwnText]) -> set[str]:
    return {text.words[0] for text in found}


def test_the_same_tenth_in_any_order() -> None:
    names = [f"w{i}" for i in range(100)]
    train, dev = hold_out(texts(names))
    assert len(dev) == 10 and len(train) == 90 and not words(train) & words(dev)
    random.Random(1).shuffle(names)
    assert words(hold_out(texts(names))[1]) == words(dev)


def test_equal_texts_stay_together() -> None:
    train, dev = hold_out(texts([f"w{i % 25}" for i in range(100)]))
    assert len(dev) == 8 and not words(train) & words(dev)


def test_documents_stay_together_where_there_are_enough() -> None:
    found = texts([f"w{i}" for i in range(100)], [i // 5 for i in range(100)])
    train, dev = hold_out(found)
    assert len(dev) == 10
    assert not {text.document for text in train} & {text.document for text in dev}
    found = texts([f"w{i}" for i in range(100)], [i // 50 for i in range(100)])
    assert len(hold_out(found)[1]) == 10


@pytest.mark.parametrize("n", [2, 3, 11])
def test_both_sides_have_texts(n) -> None:
    train, dev = hold_out(texts([f"w{i}" for i in range(n)]))
    assert len(dev) == 1 and len(train) == n - 1


def test_groups_larger_than_a_tenth_still_leave_both_sides_some() -> None:
    train, dev = hold_out(texts(["a"] * 60 + ["b"] * 40))
    assert (words(train), words(dev)) == ({"a"}, {"b"})


def test_equal_texts_alone_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match=r"EL659.*3 equal texts"):
        hold_out(texts(["a", "a", "a"]))
