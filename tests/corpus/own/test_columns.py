"""CoNLL files as people have them: columns, comments, documents, and lines that are wrong."""

from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.own.columns import read_columns

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
# # B-NP O
call NN I-NP O

-DOCSTART- -X- -X- O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""


def read(text: str):
    return read_columns(Path("x.conll"), text, Vocab())


def entities(text: str) -> list[list[tuple[int, int, str]]]:
    return [one.entities for one in read(text)]


def test_conll_2003_has_tags_documents_and_a_word_that_looks_like_a_comment() -> None:
    first, second = read(CONLL_2003)
    assert first.words == ("EU", "rejects", "#", "call")
    assert [token.tag_ for token in first.doc] == ["NNP", "VBZ", "#", "NN"]
    assert first.entities == [(0, 1, "ORG")] and second.entities == [(0, 2, "PER")]
    assert (first.place, second.place) == ("line 3", "line 10")
    assert (first.document, second.document) == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "Rome\tB-LOC\nfell\tO\n",
        "Rome B-LOC\r\nfell O\r\n\r\n",
        "# a comment\nRome\tNNP\tB-LOC\nfell\tVBD\tO",
        "Rome _ B-LOC\nfell _ O",
        "\n\nRome|NNP|B-LOC fell|VBD|O\n",
        "Rome|I-LOC fell|O",
        "Rome  NNP   S-LOC\nfell VBD O",
    ],
)
def test_all_forms_of_the_same_sentence(text) -> None:
    (sentence,) = read(text)
    assert sentence.words == ("Rome", "fell") and sentence.entities == [(0, 1, "LOC")]
    has_tags = "NNP" in text
    assert [token.tag_ for token in sentence.doc] == (["NNP", "VBD"] if has_tags else ["", ""])


def test_words_may_hold_what_others_take_for_a_break_or_a_mark() -> None:
    (tabs,) = read("a\u2028b\tO\nNew York\tB-LOC\n")
    assert [token.text for token in tabs.doc] == ["a\u2028b", "New York"]
    (pipes,) = read("Rome|NNP|B-LOC a|b|SYM|O")
    assert pipes.words == ("Rome", "a|b")


def test_words_without_annotation_stay_without() -> None:
    (sentence,) = read("Rome B-LOC\nor -\nParis B-LOC")
    assert [token.ent_iob_ for token in sentence.doc] == ["B", "", "B"]


def test_each_impossible_label_has_its_line() -> None:
    (one, two) = read("Rome B-LOC\n\nNew O\nYork I-LOC\n")
    assert one.problems == []
    (problem,) = two.problems
    assert (problem.kind, problem.place) == ("sequence", "line 4")
    assert problem.what == "I-LOC of 'York', between O and nothing, is no valid IOB2"
    assert two.entities == [(1, 2, "LOC")]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("Rome B-LOC\nfell\n", 2, "has one column"),
        ("Rome NNP B-LOC\nfell O\n", 2, "has 2 columns, but those before have 3"),
        ("Rome\tB-LOC\n\nfell\t\tO\n", 3, "has 3 columns"),
        ("Rome\tNNP\tB-LOC\n\t\tO\n", 2, "has an empty column"),
        ("Rome LOCATION\n", 1, "'LOCATION' is no label"),
        ("Rome|B-LOC fell|O\nOslo\n", 2, "'Oslo' has one column"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text, line, problem) -> None:
    with pytest.raises(ValueError, match=rf"EL653.*x.conll, line {line}: .*{problem}"):
        read(text)


def test_confidences_as_annotate_writes_them_are_no_tags() -> None:
    (text,) = read("Ada - 0.9876 B-PER\nleft - - O\nRome - 1e-05 B-LOC\n")
    assert [token.tag_ for token in text.doc] == ["", "", ""]
    assert text.entities == [(0, 1, "PER"), (2, 3, "LOC")]
    (text,) = read("Ada NNP 0.9876 B-PER\nleft VBD - O\n")
    assert [token.tag_ for token in text.doc] == ["NNP", "VBD"]


def test_lines_may_end_as_on_old_macs() -> None:
    text = "Ada B-PER\nlives O\n\nRome B-LOC\n"
    assert (
        entities(text.replace("\n", "\r")) == entities(text) == [[(0, 1, "PER")], [(0, 1, "LOC")]]
    )


def test_blanks_around_a_word_are_not_in_it() -> None:
    (found,) = read("Ada \tB-PER \n lives\tO\n")
    assert found.words == ("Ada", "lives") and found.entities == [(0, 1, "PER")]


def test_a_file_may_begin_with_the_word_that_looks_like_a_comment() -> None:
    (found,) = read("# NNP O\nAda NNP B-PER\n")
    assert found.words == ("#", "Ada") and found.entities == [(1, 2, "PER")]
    (found,) = read("# sentence 1\nAda NNP B-PER\n")
    assert found.words == ("Ada",)
