import pytest

from spacy_elmo_ner.comparison.breakdowns import (
    ALL,
    by_entity_length,
    by_sentence_length,
    shipped_conventions,
    without_conventions,
)
from spacy_elmo_ner.comparison.corpora import Annotation


def pair(n_words, gold, predicted):
    words = ["w"] * n_words
    return Annotation(words, gold, None), Annotation(words, predicted, None)


def test_entities_are_parted_by_the_length_of_their_text():
    found = by_sentence_length(
        [
            pair(10, [(0, 1, "x")], [(0, 1, "x")]),
            pair(11, [(0, 1, "x")], []),
            pair(41, [(0, 1, "x")], [(0, 1, "y")]),
        ]
    )
    assert list(found) == ["1-10", "11-20", "21-30", "31-40", "41+"]
    assert [score.support for score in found.values()] == [1, 1, 0, 0, 1]
    assert [score.f1 for score in found.values()] == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_entities_are_parted_by_their_own_length():
    found = by_entity_length([pair(20, [(0, 1, "x"), (2, 7, "x")], [(0, 1, "x"), (2, 4, "x")])])
    assert list(found) == ["1", "2", "3", "4+"]
    assert found["1"].f1 == 1.0
    assert (found["2"].precision, found["2"].support) == (0.0, 0)
    assert (found["4+"].recall, found["4+"].support) == (0.0, 1)


def test_the_parts_add_up_to_all_gold_entities():
    pairs = [pair(n, [(0, 1, "x"), (1, min(4, n), "y")], []) for n in (3, 12, 50)]
    for parts in (by_sentence_length(pairs), by_entity_length(pairs)):
        assert sum(score.support for score in parts.values()) == pytest.approx(6)


WORDS = [
    *("Mr.", "Smith", "of", "the", "United", "Nations"),
    *("left", "Iran", "'s", "north", "last"),
    "week",
]
GOLD = [(0, 2, "per"), (4, 6, "org"), (7, 8, "geo"), (11, 12, "tim")]
OTHER = [(1, 2, "per"), (3, 6, "org"), (7, 9, "geo"), (10, 12, "tim")]


def test_each_convention_is_reported_by_itself_and_all_together():
    found = without_conventions([(Annotation(WORDS, GOLD, None), Annotation(WORDS, OTHER, None))])
    assert {name: score.f1 for name, score in found.items()} == {
        "title before a person": 0.25,
        "article in front": 0.25,
        "possessive at the end": 0.25,
        "time words around a time": 0.25,
        ALL: 1.0,
    }


def test_conventions_that_change_nothing_are_left_out():
    same = Annotation(WORDS, GOLD, None)
    assert without_conventions([(same, same)]) == {}


@pytest.mark.parametrize("convention", shipped_conventions(), ids=lambda each: each.name)
def test_an_entity_never_vanishes(convention):
    for word in convention.words:
        label = next(iter(convention.labels or {"x"}))
        assert convention.strip([word], (0, 1, label)) == (0, 1, label)


def test_a_title_belongs_to_persons_only():
    titles = shipped_conventions()[0]
    assert titles.strip(["President", "Bush"], (0, 2, "per")) == (1, 2, "per")
    assert titles.strip(["President", "Bush"], (0, 2, "org")) == (0, 2, "org")
