"""The learned mix of a biLM's layers (Peters et al. 2018, equation 1)."""

from typing import Any, cast

from thinc.api import Model, Ops
from thinc.types import Floats2d

from .types import DocLayers

ScalarMixModel = Model[DocLayers, list[Floats2d]]

_EPSILON = 1e-12  # of the layer norm's variance, as in AllenNLP

# numpy or cupy, whichever the model runs on; Thinc's own types know too few methods.
Array = Any


def scalar_mix(n_layers: int, width: int | None = None, layer_norm: bool = False) -> ScalarMixModel:
    """gamma * sum_k softmax(weights)_k * layer_k: (n_layers, n_tokens, width) -> (n_tokens, width).

    n_layers: 0 where it is known only from the data or the saved model.
    layer_norm: normalize each layer of a Doc to mean 0 and variance 1 over all its values
        first, as AllenNLP does over a batch; over one Doc, its vectors depend on it alone.
    """
    return Model(
        "scalar_mix",
        forward,
        init=init,
        dims={"nO": width, "nK": n_layers or None},
        params={"weights": None, "gamma": None},
        attrs={"layer_norm": layer_norm},
    )


def forward(model: ScalarMixModel, docs: DocLayers, is_train: bool) -> tuple[list[Floats2d], Any]:
    xp = model.ops.xp
    gamma: Array = model.get_param("gamma")
    s: Array = _softmax(model.ops, model.get_param("weights"))
    normed = [_normalize(x) for x in docs] if model.attrs["layer_norm"] else None
    layers = [x for x, _ in normed] if normed else docs

    def backprop(d_outputs: list[Floats2d]) -> DocLayers:
        d_mix = sum(xp.tensordot(x, d, axes=2) for x, d in zip(layers, d_outputs, strict=True))
        d_s = d_mix * gamma
        model.inc_grad("gamma", xp.asarray([(s * d_mix).sum()], dtype="f"))
        model.inc_grad("weights", s * (d_s - (s * d_s).sum()))
        factor = (gamma * s)[:, None, None]
        d_layers: list[Array] = [factor * cast(Array, d)[None] for d in d_outputs]
        if normed:
            d_layers = [
                _d_normalize(d, x, scale) for d, (x, scale) in zip(d_layers, normed, strict=True)
            ]
        return d_layers

    return [xp.tensordot(gamma * s, x, axes=1) for x in layers], backprop


def init(model: ScalarMixModel, X: DocLayers | None = None, Y: Any = None) -> None:
    """An even mix: weights 0, gamma 1."""
    if X is not None:
        model.set_dim("nK", X[0].shape[0])
        model.set_dim("nO", X[0].shape[2])
    model.set_param("weights", model.ops.alloc1f(model.get_dim("nK")))
    model.set_param("gamma", model.ops.alloc1f(1) + 1)


def _softmax(ops: Ops, x: Array) -> Array:
    e = ops.xp.exp(x - x.max())
    return e / e.sum()


def _normalize(x: Array) -> tuple[Array, Array]:
    """Layers at mean 0 and variance 1, and the factor (n_layers, 1, 1) each was divided by."""
    if not x.size:
        return x, x.sum(axis=(1, 2), keepdims=True) + 1
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    scale = (centred.var(axis=(1, 2), keepdims=True) + _EPSILON) ** 0.5
    return centred / scale, scale


def _d_normalize(d: Array, x: Array, scale: Array) -> Array:
    """Gradient of `_normalize`; x is its output."""
    if not x.size:
        return d
    mean = d.mean(axis=(1, 2), keepdims=True)
    return (d - mean - x * (d * x).mean(axis=(1, 2), keepdims=True)) / scale
