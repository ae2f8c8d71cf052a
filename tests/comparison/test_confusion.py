from spacy_elmo_ner.comparison.confusion import (
    NOTHING,
    match_entities,
    tag_confusion,
    type_confusion,
)
from spacy_elmo_ner.comparison.corpora import Annotation

WORDS = list("abcdefgh")


def test_an_entity_is_matched_with_the_one_it_shares_most_with():
    gold = [(0, 2, "per"), (3, 6, "org")]
    predicted = [(0, 2, "org"), (3, 4, "geo"), (4, 6, "org"), (7, 8, "tim")]
    assert match_entities(gold, predicted) == [
        ((0, 2, "per"), (0, 2, "org")),
        ((3, 6, "org"), (4, 6, "org")),
        (None, (3, 4, "geo")),
        (None, (7, 8, "tim")),
    ]


def test_every_entity_falls_under_one_kind():
    gold = Annotation(WORDS, [(0, 1, "a"), (1, 2, "a"), (2, 4, "a"), (4, 6, "a"), (6, 7, "a")], [])
    guess = Annotation(WORDS, [(0, 1, "a"), (1, 2, "b"), (2, 3, "a"), (4, 5, "b"), (7, 8, "a")], [])
    types, kinds = type_confusion([(gold, guess)])
    assert kinds == {
        "right": 1,
        "wrong type": 1,
        "wrong boundary": 1,
        "wrong type and boundary": 1,
        "missed": 1,
        "spurious": 1,
    }
    assert types == {"a": {"a": 2, "b": 2, NOTHING: 1}, NOTHING: {"a": 1}}


def test_tags_taken_for_others_are_counted_and_right_ones_are_not():
    gold = Annotation(["a", " ", "c", "d"], None, ["NN", "SP", "VB", ""])
    guess = Annotation(["a", " ", "c", "d"], None, ["NN", "NN", "NN", "NN"])
    assert tag_confusion([(gold, guess)]) == {"VB": {"NN": 1}}
