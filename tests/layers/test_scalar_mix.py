from functools import partial

import numpy as np
import pytest

from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.elmo_listener import build_elmo_listener_v1
from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v1
from spacy_elmo_ner.layers.scalar_mix import scalar_mix


def build_elmo_tok2vec(**settings):
    return build_elmo_tok2vec_v1(build_bilm_v1(), **settings)


def docs(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, n, 4)).astype("float32") for n in lengths]


def with_parameters():
    mix = scalar_mix(3, 4)
    mix.initialize()
    mix.set_param("weights", np.asarray([0.3, -1.0, 0.7], dtype="float32"))
    mix.set_param("gamma", np.asarray([1.7], dtype="float32"))
    return mix


def test_a_fresh_mix_is_the_mean_of_the_layers():
    mix = scalar_mix(0)
    (x,) = docs(5)
    mix.initialize(X=[x])
    np.testing.assert_allclose(mix.predict([x])[0], x.mean(axis=0), atol=1e-6)
    assert mix.get_dim("nO") == 4


def test_a_mix_is_gamma_times_the_softmax_weighted_sum():
    (x,) = docs(5)
    weights = np.exp([0.3, -1.0, 0.7])
    weights /= weights.sum()
    expected = 1.7 * sum(w * layer for w, layer in zip(weights, x, strict=True))
    np.testing.assert_allclose(with_parameters().predict([x])[0], expected, atol=1e-6)


@pytest.mark.parametrize("build", [partial(build_elmo_listener_v1, 4), build_elmo_tok2vec])
def test_layer_norm_is_refused_where_it_was_used(build):
    build(layer_norm=False)
    with pytest.raises(ValueError, match="EL123"):
        build(layer_norm=True)


def test_a_doc_is_mixed_the_same_in_any_batch():
    mix = with_parameters()
    batch = docs(5, 1, 0, 9)
    together = mix.predict(batch)
    for one, expected in zip(batch, together, strict=True):
        np.testing.assert_array_equal(mix.predict([one])[0], expected)


def test_gradients_agree_with_finite_differences():
    mix = with_parameters()
    batch = docs(4, 2)
    direction = [np.random.default_rng(1).normal(size=(len(x[0]), 4)) for x in batch]

    def value() -> float:
        outputs = mix.predict(batch)
        return sum(float((o * d).sum()) for o, d in zip(outputs, direction, strict=True))

    _, backprop = mix.begin_update(batch)
    d_layers = backprop([d.astype("float32") for d in direction])
    step = 1e-2
    for name in ("weights", "gamma"):
        parameter, gradient = mix.get_param(name), mix.get_grad(name)
        for i in range(len(parameter)):
            parameter[i] += step
            up = value()
            parameter[i] -= 2 * step
            down = value()
            parameter[i] += step
            assert gradient[i] == pytest.approx((up - down) / (2 * step), abs=2e-3)
    for index in [(0, 0, 0), (1, 3, 2), (2, 2, 3)]:
        batch[0][index] += step
        up = value()
        batch[0][index] -= 2 * step
        down = value()
        batch[0][index] += step
        assert d_layers[0][index] == pytest.approx((up - down) / (2 * step), abs=5e-3)
