import numpy as np

from spacy_elmo_ner.audit.confident_learning import find_suspects
from spacy_elmo_ner.decoding import MISSING


def sure_of(labels, n_classes, p=0.9):
    rest = (1 - p) / (n_classes - 1)
    return np.where(np.eye(n_classes, dtype=bool)[labels], p, rest)


def test_planted_errors_are_found_and_nothing_else():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, size=500)
    probabilities = sure_of(true, 4) + rng.uniform(0, 0.02, size=(500, 4))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    gold = true.copy()
    planted = rng.choice(500, size=25, replace=False)
    gold[planted] = (true[planted] + 1) % 4
    found = find_suspects(probabilities, gold)
    assert set(found.rows) == set(planted)
    assert (found.suggested == true[found.rows]).all()
    assert (np.diff(found.margins) <= 0).all() and (found.margins > 0.5).all()


def test_what_is_sure_depends_on_the_class():
    """0.5 is much for a class that is 0.4 where it is annotated, and little for one of 0.95."""
    probabilities = np.asarray([[0.95, 0.05], [0.95, 0.05], [0.6, 0.4], [0.5, 0.5]])
    assert find_suspects(probabilities, np.asarray([0, 0, 1, 0])).rows.tolist() == [3]
    assert find_suspects(probabilities, np.asarray([0, 0, 1, 1])).rows.tolist() == []


def test_tokens_without_annotation_are_never_suspicious():
    probabilities = sure_of([0, 0, 1, 1], 2)
    found = find_suspects(probabilities, np.asarray([0, 1, MISSING, 1]))
    assert found.rows.tolist() == [1] and found.suggested.tolist() == [0]
    nothing = find_suspects(probabilities, np.full(4, MISSING))
    assert len(nothing.rows) == len(nothing.margins) == 0


def test_what_is_very_probable_is_sure_even_below_an_average():
    probabilities = np.asarray([[0.999, 0.001], [0.999, 0.001], [0.93, 0.07], [0.001, 0.999]])
    found = find_suspects(probabilities, np.asarray([0, 0, 1, 1]))
    assert found.rows.tolist() == [2] and found.suggested.tolist() == [0]
