"""Learn a weighted mix of a biLM's layers (Peters et al. 2018, equation 1)."""

from collections.abc import Callable
from typing import Any, cast

from thinc.api import Model, Ops
from thinc.types import Floats2d

from ..errors import Errors
from .types import DocLayers

ScalarMixModel = Model[DocLayers, list[Floats2d]]

# numpy or cupy, whichever the model runs on; Thinc's own types know too few methods.
Array = Any


def scalar_mix(n_layers: int, width: int | None = None) -> ScalarMixModel:
    """Build the mix gamma * sum_k softmax(weights)_k * layer_k.

    (n_layers, n_tokens, width) -> (n_tokens, width) float32 per Doc.
    n_layers: 0 if known only from the data or the saved model.
    """
    return Model(
        "scalar_mix",
        forward,
        init=init,
        dims={"nO": width, "nK": n_layers or None},
        params={"weights": None, "gamma": None},
    )


def forward(
    model: ScalarMixModel, layers: DocLayers, is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], DocLayers]]:
    xp = model.ops.xp
    gamma: Array = model.get_param("gamma")
    s: Array = _softmax(model.ops, model.get_param("weights"))

    def backprop(d_outputs: list[Floats2d]) -> DocLayers:
        d_mix = sum(xp.tensordot(x, d, axes=2) for x, d in zip(layers, d_outputs, strict=True))
        d_s = d_mix * gamma
        model.inc_grad("gamma", xp.asarray([(s * d_mix).sum()], dtype="f"))
        model.inc_grad("weights", s * (d_s - (s * d_s).sum()))
        factor = (gamma * s)[:, None, None]
        return [factor * cast(Array, d)[None] for d in d_outputs]

    return [xp.tensordot(gamma * s, x, axes=1) for x in layers], backprop


def without_layer_norm(layer_norm: bool) -> None:
    """Accept an argument that saved configs still contain. Raises ValueError if it is True."""
    if layer_norm:
        raise ValueError(Errors.EL123)


def init(model: ScalarMixModel, X: DocLayers | None = None, Y: Any = None) -> None:
    """Start with an even mix: weights 0, gamma 1."""
    if X is not None:
        model.set_dim("nK", X[0].shape[0])
        model.set_dim("nO", X[0].shape[2])
    model.set_param("weights", model.ops.alloc1f(model.get_dim("nK")))
    model.set_param("gamma", model.ops.alloc1f(1) + 1)


def _softmax(ops: Ops, x: Array) -> Array:
    e = ops.xp.exp(x - x.max())
    return e / e.sum()
