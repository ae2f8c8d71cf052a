"""The CRF's layer: what it holds, keeps and hands back."""

import numpy as np
import pytest

from spacy_elmo_ner.decoding import BIOTransitions, FullTransitions
from spacy_elmo_ner.layers.crf import SequenceGradient, crf, learned, resized, sequence_loss

KINDS = pytest.mark.parametrize("kind", ["full", "structured"])


def random_layer(kind: str, n_labels: int = 5):
    model = crf(kind)
    model.initialize(X=[np.zeros((2, n_labels), dtype="f")])
    rng = np.random.default_rng(0)
    for name in model.param_names:
        model.set_param(name, rng.normal(size=model.get_param(name).shape).astype("f"))
    return model


@KINDS
def test_emissions_pass_through_it_both_ways(kind):
    model = random_layer(kind)
    emissions = [np.ones((3, 5), dtype="f"), np.zeros((0, 5), dtype="f")]
    scores, backprop = model.begin_update(emissions)
    assert scores is emissions
    assert backprop(emissions) is emissions
    assert not any(model.has_grad(name) for name in model.param_names)


@KINDS
def test_its_parameters_take_their_gradient_in_backprop_and_nowhere_else(kind):
    model = random_layer(kind)
    emissions = [np.random.default_rng(1).normal(size=(4, 5)).astype("f")]
    gold = [0, 1, 2, 3]
    _, backprop = model.begin_update(emissions)
    loss, gradient = sequence_loss(model, learned(model), emissions, gold)
    again, _ = sequence_loss(model, learned(model), emissions, gold)
    assert loss == again > 0 and isinstance(gradient, SequenceGradient)
    assert not any(model.has_grad(name) for name in model.param_names)
    for times in (1, 2):
        backprop(gradient)
        for name in model.param_names:
            assert model.get_grad(name).any(), name
            expected = times * gradient.d_parameters[name]
            np.testing.assert_allclose(model.get_grad(name), expected, rtol=1e-5, atol=1e-7)


@KINDS
def test_what_it_has_learned_is_a_copy(kind):
    model = random_layer(kind)
    before = learned(model)
    assert isinstance(before, BIOTransitions if kind == "structured" else FullTransitions)
    model.set_param("end", model.get_param("end") + 1)
    np.testing.assert_allclose(learned(model).end, before.end + 1, rtol=1e-6)


@KINDS
def test_labels_behind_the_old_ones_begin_at_zero(kind):
    model = random_layer(kind)
    larger = resized(model, 9)
    assert learned(larger).n_labels == larger.get_dim("nO") == 9
    assert larger.name == model.name and model.get_dim("nO") == 5
    for name in model.param_names:
        before, after = model.get_param(name), larger.get_param(name)
        kept = tuple(slice(size) for size in before.shape)
        np.testing.assert_array_equal(after[kept], before)
        assert np.count_nonzero(after) == np.count_nonzero(before)


@KINDS
def test_it_is_saved_and_copied_with_its_parameters(kind):
    model = random_layer(kind)
    restored = crf(kind).from_bytes(model.to_bytes())
    for one in (restored, model.copy()):
        for name in model.param_names:
            np.testing.assert_array_equal(one.get_param(name), model.get_param(name))
