import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import best_labels, log_softmax
from tests.decoding.brute_force import floats


@settings(deadline=None)
@given(st.tuples(st.integers(0, 6), st.integers(1, 6)).flatmap(lambda shape: floats(shape, 1e4)))
def test_probabilities_sum_to_one_and_the_best_is_the_highest(emissions):
    probabilities = np.exp(log_softmax(emissions))
    assert probabilities.shape == emissions.shape
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    ids, best = best_labels(emissions)
    assert (emissions[np.arange(len(ids)), ids] == emissions.max(axis=1)).all()
    np.testing.assert_array_equal(best, probabilities.max(axis=1))


def test_equal_scores_go_to_the_lowest_label():
    assert best_labels(np.zeros((2, 3)))[0].tolist() == [0, 0]


def test_a_token_gives_the_same_bits_in_any_batch():
    emissions = np.random.default_rng(0).normal(size=(50, 42)).astype(np.float32)
    alone = np.concatenate([log_softmax(emissions[i : i + 1]) for i in range(50)])
    np.testing.assert_array_equal(log_softmax(emissions), alone)
    np.testing.assert_array_equal(log_softmax(np.asfortranarray(emissions)), alone)


def test_a_forbidden_label_has_probability_zero():
    assert np.exp(log_softmax([[0.0, -np.inf]])).tolist() == [[1, 0]]


def test_no_tokens_give_no_labels():
    ids, probabilities = best_labels(np.zeros((0, 4), dtype=np.float32))
    assert ids.shape == probabilities.shape == (0,)


def test_a_token_without_possible_label_is_named():
    with pytest.raises(ValueError, match=r"EL165.*token 1 "):
        log_softmax([[0.0, 0.0], [-np.inf, -np.inf]])
