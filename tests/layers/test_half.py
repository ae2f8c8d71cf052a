"""Weights that float16 holds exactly are saved as float16, and nothing else changes."""

import numpy as np
import pytest
from thinc.api import Linear

from spacy_elmo_ner.layers.half import narrowed, round_weights, widened


def _linear(*weights):
    model = Linear(nO=1, nI=len(weights))
    model.initialize()
    model.set_param("W", np.asarray([weights], dtype="f"))
    return model


def _read_back(model):
    other = Linear(nO=1, nI=model.get_dim("nI"))
    other.initialize()
    return other.from_bytes(widened(narrowed(model.to_bytes())))


@pytest.mark.parametrize("weights", [(0.5, -2.0), (0.1, 3.0), (1e9, 1.0), (1e-30, float("inf"))])
def test_values_survive_to_the_last_bit(weights):
    model = _linear(*weights)
    found = _read_back(model).get_param("W")
    assert found.dtype == np.float32
    assert np.array_equal(found, model.get_param("W"))


def test_only_what_loses_nothing_is_narrowed():
    some = np.linspace(-1, 1, 1000, dtype="f")
    as_trained = _linear(*some)
    rounded = _linear(*some)
    round_weights(rounded)
    assert len(narrowed(as_trained.to_bytes())) > 4000
    assert len(narrowed(rounded.to_bytes())) < 2500
    assert np.allclose(rounded.get_param("W"), some, rtol=2**-11, atol=0)


def test_a_value_beyond_float16_is_not_rounded_to_infinity():
    with pytest.raises(ValueError, match=r"EL016.*W.*float16"):
        round_weights(_linear(1e6))
