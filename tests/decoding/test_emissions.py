import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding.emissions import check_emissions, log_softmax
from tests.decoding.brute_force import floats


def test_torch_tensors_are_taken_as_they_are():
    scores = check_emissions(torch.tensor([[0.5, 1.5]]), [1])
    assert scores.dtype == np.float64
    assert scores.tolist() == [[0.5, 1.5]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_named_with_its_place(value):
    emissions = np.zeros((6, 3))
    emissions[4, 2] = value
    with pytest.raises(ValueError, match=r"EL155.*label 2 at token 1 of document 2 "):
        check_emissions(emissions, [3, 0, 3])


@pytest.mark.parametrize("shape", [(3,), (3, 0), (1, 3, 2)])
def test_emissions_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="EL154"):
        check_emissions(np.zeros(shape), [3])


@pytest.mark.parametrize("lengths", [[2], [2, 2], [4, -1], [[3]]])
def test_lengths_that_do_not_add_up_are_refused(lengths):
    with pytest.raises(ValueError, match=r"EL156.*3 tokens"):
        check_emissions(np.zeros((3, 2)), lengths)


@settings(deadline=None)
@given(st.tuples(st.integers(0, 6), st.integers(1, 6)).flatmap(lambda shape: floats(shape, 1e4)))
def test_probabilities_sum_to_one_and_rank_as_the_scores(emissions):
    probabilities = np.exp(log_softmax(emissions))
    assert probabilities.shape == emissions.shape
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    of_best = probabilities[np.arange(len(emissions)), emissions.argmax(axis=1)]
    np.testing.assert_array_equal(of_best, probabilities.max(axis=1))


def test_a_token_gives_the_same_bits_in_any_batch():
    emissions = np.random.default_rng(0).normal(size=(50, 42)).astype(np.float32)
    alone = np.concatenate([log_softmax(emissions[i : i + 1]) for i in range(50)])
    np.testing.assert_array_equal(log_softmax(emissions), alone)
    np.testing.assert_array_equal(log_softmax(np.asfortranarray(emissions)), alone)


def test_a_forbidden_label_has_probability_zero():
    assert np.exp(log_softmax([[0.0, -np.inf]])).tolist() == [[1, 0]]


def test_no_tokens_give_no_probabilities():
    assert log_softmax(np.zeros((0, 4), dtype=np.float32)).shape == (0, 4)


def test_a_token_without_possible_label_is_named():
    with pytest.raises(ValueError, match=r"EL165.*token 1 "):
        log_softmax([[0.0, 0.0], [-np.inf, -np.inf]])
