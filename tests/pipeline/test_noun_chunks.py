"""Noun chunks from tags, where no parser has run."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.pipeline.noun_chunks import use_tag_noun_chunks


@pytest.fixture
def nlp() -> Language:
    return use_tag_noun_chunks(spacy.blank("en"))


def chunks(nlp: Language, tagged: str) -> list[str]:
    words, tags = zip(*(one.rsplit("/", 1) for one in tagged.split()), strict=True)
    doc = Doc(nlp.vocab, words=list(words), tags=list(tags))
    return [chunk.text for chunk in doc.noun_chunks]


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        ("The/DT old/JJ man/NN saw/VBD her/PRP", ["The old man", "her"]),
        ("New/NNP York/NNP 's/POS biggest/JJS bank/NN", ["New York 's biggest bank"]),
        ("killing/VBG officials/NNS", ["officials"]),
        ("the/DT selected/VBN officials/NNS", ["the selected officials"]),
        ("a/DT very/RB old/JJ man/NN", ["a very old man"]),
        ("men/NNS and/CC women/NNS", ["men", "women"]),
        ("He/PRP is/VBZ very/RB old/JJ ./.", ["He"]),
        ("all/PDT the/DT $/$ 5/CD bills/NNS", ["all the $ 5 bills"]),
        ("the/DT poor/JJ", []),
    ],
)
def test_phrases(nlp: Language, tagged: str, expected: list[str]) -> None:
    assert chunks(nlp, tagged) == expected


def test_a_determiner_that_stands_for_a_noun_is_one(nlp: Language) -> None:
    doc = Doc(nlp.vocab, words=["Those", "left"], tags=["DT", "VBD"], pos=["PRON", "VERB"])
    assert [chunk.text for chunk in doc.noun_chunks] == ["Those"]


def test_chunks_of_a_span_are_those_within_it(nlp: Language) -> None:
    words, tags = ["Mary", "saw", "old", "Paris"], ["NNP", "VBD", "JJ", "NNP"]
    doc = Doc(nlp.vocab, words=words, tags=tags)
    (chunk,) = doc[2:].noun_chunks
    assert (chunk.start, chunk.end, chunk.label_) == (2, 4, "NP")


def test_a_parse_is_used_where_there_is_one(nlp: Language) -> None:
    doc = Doc(
        nlp.vocab,
        words=["Mary", "saw", "Paris"],
        tags=["NNP", "VBD", "NNP"],
        pos=["PROPN", "VERB", "PROPN"],
        heads=[1, 1, 1],
        deps=["nsubj", "ROOT", "dep"],
    )
    assert [chunk.text for chunk in doc.noun_chunks] == ["Mary"]


def test_empty_and_untagged_docs_have_none(nlp: Language) -> None:
    assert list(Doc(nlp.vocab).noun_chunks) == []
    assert list(nlp("Nobody tagged this.").noun_chunks) == []


def test_other_languages_have_them_too_where_spacy_has_no_rules() -> None:
    nlp = use_tag_noun_chunks(spacy.blank("sl"))
    assert chunks(nlp, "the/DT man/NN") == ["the man"]
