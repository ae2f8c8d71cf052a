from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.score import pairwise_agreement

WORDS = ["a", "b", "c", "d"]


def test_agreement_is_f1_of_one_against_the_other_and_has_no_direction():
    first = [Annotation(WORDS, [(0, 1, "x"), (2, 3, "y")], ["A", "B", "C", "D"])]
    second = [Annotation(WORDS, [(0, 1, "x"), (2, 3, "z"), (3, 4, "x")], ["A", "B", "C", "X"])]
    (found,) = pairwise_agreement({"one": first, "two": second})
    assert (found.entities, found.boundaries, found.tags) == (2 / 5, 4 / 5, 3 / 4)
    assert (found.n_first, found.n_second) == (2, 3)
    (turned,) = pairwise_agreement({"two": second, "one": first})
    assert (turned.entities, turned.boundaries) == (found.entities, found.boundaries)


def test_layers_that_one_pipeline_lacks_are_not_compared():
    tags_only = [Annotation(WORDS, None, ["A"] * 4)]
    entities_only = [Annotation(WORDS, [(0, 1, "x")], None)]
    (found,) = pairwise_agreement({"one": tags_only, "two": entities_only})
    assert (found.entities, found.boundaries, found.tags) == (None, None, None)


def test_three_pipelines_make_three_pairs_and_one_makes_none():
    reading = [Annotation(WORDS, [], None)]
    pairs = pairwise_agreement({"a": reading, "b": reading, "c": reading})
    assert [(each.first, each.second) for each in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairwise_agreement({"a": reading}) == []
