import pytest

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.breakdown import by_entity_length, by_sentence_length


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
