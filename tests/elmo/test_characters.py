import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.elmo.characters import (
    BEGIN_SENTENCE,
    BEGIN_WORD,
    BOS,
    END_SENTENCE,
    END_WORD,
    EOS,
    PADDING,
    word_to_ids,
    words_to_ids,
)
from spacy_elmo_ner.elmo.sentences import distinct_words

BEGIN, END = BEGIN_WORD + 1, END_WORD + 1


def test_a_word_is_its_bytes_between_two_marks_shifted_by_one() -> None:
    assert word_to_ids("cat") == [BEGIN, ord("c") + 1, ord("a") + 1, ord("t") + 1, END]


def test_a_word_outside_ascii_is_spelled_in_utf8() -> None:
    assert word_to_ids("é") == [BEGIN, 0xC3 + 1, 0xA9 + 1, END]


def test_a_long_word_is_cut_at_48_bytes_even_inside_a_character() -> None:
    ids = word_to_ids("a" * 47 + "é" + "b")
    assert len(ids) == 50
    assert ids[-2:] == [0xC3 + 1, END]


def test_the_empty_word_is_two_marks() -> None:
    assert word_to_ids("") == [BEGIN, END]


def test_lone_surrogates_are_dropped() -> None:
    assert word_to_ids("a\ud800b") == word_to_ids("ab")


def test_a_token_spelled_like_a_sentence_mark_is_the_mark() -> None:
    assert word_to_ids(BOS) == [BEGIN, BEGIN_SENTENCE + 1, END]
    assert word_to_ids(EOS) == [BEGIN, END_SENTENCE + 1, END]
    assert word_to_ids("<s>") != word_to_ids(BOS)


def test_slots_behind_a_word_hold_padding_not_zero() -> None:
    char_ids, lengths = words_to_ids(["ab", ""], max_characters=6)
    assert char_ids.dtype == np.int64
    assert char_ids[0].tolist() == [BEGIN, 98, 99, END, PADDING + 1, PADDING + 1]
    assert lengths.tolist() == [4, 2]


@given(st.lists(st.text(max_size=80), max_size=8), st.integers(4, 60))
def test_every_id_has_a_row_of_the_table_and_is_never_0(words: list[str], slots: int) -> None:
    char_ids, lengths = words_to_ids(words, slots)
    assert char_ids.shape == (len(words), slots)
    assert ((char_ids >= 1) & (char_ids <= 261)).all()
    assert ((lengths >= 2) & (lengths <= slots)).all()


@pytest.mark.parametrize("word", [3, None, b"cat"])
def test_a_word_that_is_no_str_is_named(word: object) -> None:
    with pytest.raises(TypeError, match="EL015"):
        word_to_ids(word)  # type: ignore[arg-type]


def test_each_distinct_word_is_spelled_once() -> None:
    words, rows = distinct_words([["a", "b", "a"], [], ["b", EOS]])
    assert words == [BOS, EOS, "a", "b"]
    assert [row.tolist() for row in rows] == [[0, 2, 3, 2, 1], [0, 1], [0, 3, 1, 1]]
