import pytest

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.conventions import ALL, conventions_aside, shipped_conventions

WORDS = [
    *("Mr.", "Smith", "of", "the", "United", "Nations"),
    *("left", "Iran", "'s", "north", "last"),
    "week",
]
GOLD = [(0, 2, "per"), (4, 6, "org"), (7, 8, "geo"), (11, 12, "tim")]
OTHER = [(1, 2, "per"), (3, 6, "org"), (7, 9, "geo"), (10, 12, "tim")]


def test_each_convention_is_reported_by_itself_and_all_together():
    found = conventions_aside([(Annotation(WORDS, GOLD, None), Annotation(WORDS, OTHER, None))])
    assert {name: score.f1 for name, score in found.items()} == {
        "title before a person": 0.25,
        "article in front": 0.25,
        "possessive at the end": 0.25,
        "time words around a time": 0.25,
        ALL: 1.0,
    }


def test_conventions_that_change_nothing_are_left_out():
    same = Annotation(WORDS, GOLD, None)
    assert conventions_aside([(same, same)]) == {}


@pytest.mark.parametrize("convention", shipped_conventions(), ids=lambda each: each.name)
def test_an_entity_never_vanishes(convention):
    for word in convention.words:
        label = next(iter(convention.labels or {"x"}))
        assert convention.strip([word], (0, 1, label)) == (0, 1, label)


def test_a_title_belongs_to_persons_only():
    titles = shipped_conventions()[0]
    assert titles.strip(["President", "Bush"], (0, 2, "per")) == (1, 2, "per")
    assert titles.strip(["President", "Bush"], (0, 2, "org")) == (0, 2, "org")
