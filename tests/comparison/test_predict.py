import math

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.predict import onto_words
from spacy_elmo_ner.comparison.results import Misaligned
from spacy_elmo_ner.decoding import Decoded, EntitySpan
from spacy_elmo_ner.pipeline.confidence import TAGS, give_entities, give_tags, register_entities


def doc(words, ents=(), tags=None):
    made = Doc(Vocab(), words=words, tags=tags)
    made.set_ents([Span(made, *span) for span in ents], default="outside")
    return made


def test_the_same_words_need_no_alignment():
    words = ["In", "Paris"]
    annotation, misaligned = onto_words(words, doc(words, [(1, 2, "geo")], ["IN", "NNP"]), 0)
    assert (annotation.entities, annotation.tags) == ([(1, 2, "geo")], ["IN", "NNP"])
    assert annotation.words is words
    assert misaligned == []


def test_entities_on_other_tokens_come_back_onto_golds_words():
    found = doc(["the", "U.S", ".", "army"], [(1, 3, "gpe")], ["DT", "NNP", "NNP", "NN"])
    annotation, misaligned = onto_words(["the", "U.S.", "army"], found, 0)
    assert annotation.entities == [(1, 2, "gpe")]
    assert annotation.tags == ["DT", "NNP", "NN"]
    assert misaligned == []


def test_one_token_over_several_words_is_an_entity_over_them_all():
    annotation, misaligned = onto_words(
        ["New", "York", "grows"], doc(["NewYork", "grows"], [(0, 1, "geo")], ["NNP", "VBZ"]), 0
    )
    assert annotation.entities == [(0, 2, "geo")]
    assert annotation.tags == ["NNP", "NNP", "VBZ"]
    assert misaligned == []


def test_an_entity_that_ends_inside_a_word_is_widened_and_listed():
    found = doc(["U.S.", "-", "led"], [(0, 1, "gpe")], ["NNP", "HYPH", "VBN"])
    annotation, misaligned = onto_words(["U.S.-led"], found, 4)
    assert annotation.entities == [(0, 1, "gpe")]
    assert annotation.tags == [""]
    assert misaligned == [Misaligned(4, "gpe", "U.S.", ["U.S.-led"], kept=True)]


def test_two_entities_in_one_word_leave_the_first():
    found = doc(["Paris", "-", "London"], [(0, 1, "geo"), (2, 3, "geo")])
    annotation, misaligned = onto_words(["Paris-London"], found, 0)
    assert annotation.entities == [(0, 1, "geo")]
    assert [each.kept for each in misaligned] == [True, False]


def test_another_text_is_refused():
    with pytest.raises(ValueError, match=r"EL317.*text 3.*'In Paris'.*'In Rome'"):
        onto_words(["In", "Paris"], doc(["In", "Rome"]), 2)


@pytest.fixture
def scored():
    """A Doc as elmo_ner and elmo_tagger leave it: an entity, an alternative, sure tags."""
    made = doc(["the", "U.S", ".", "army"], [(1, 3, "gpe")], ["DT", "NNP", "NNP", "NN"])
    found = Decoded([EntitySpan(1, 3, "gpe", 0.75)], [EntitySpan(1, 4, "org", 0.25)])
    register_entities(), TAGS.register()
    give_entities(made, "elmo_ner", found)
    give_tags(made, [token.tag_ for token in made], [0.9, 0.8, 0.7, 0.6])
    return made


def test_confidence_and_alternatives_of_the_same_words_are_kept(scored):
    annotation, _ = onto_words([token.text for token in scored], scored, 0)
    assert annotation.confidence == {(1, 3): 0.75}
    assert annotation.alternatives == ((1, 4, "org", 0.25),)
    assert list(annotation.tag_confidence) == [0.9, 0.8, 0.7, 0.6]


def test_confidence_and_alternatives_come_back_onto_golds_words(scored):
    annotation, _ = onto_words(["the", "U.S.", "army"], scored, 0)
    assert annotation.confidence == {(1, 2): 0.75}
    assert annotation.alternatives == ((1, 3, "org", 0.25),)
    first, joined, last = annotation.tag_confidence
    assert (first, last) == (0.9, 0.6)
    assert math.isnan(joined)


def test_a_doc_of_other_pipes_holds_nothing_more_than_before():
    words = ["In", "Paris"]
    annotation, _ = onto_words(words, doc(words, [(1, 2, "geo")], ["IN", "NNP"]), 0)
    assert annotation.confidence == {}
    assert annotation.alternatives == ()
    assert annotation.tag_confidence == ()
