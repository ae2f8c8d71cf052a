import numpy as np
import pytest
import torch

from spacy_elmo_ner.decoding.emissions import check_emissions


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
