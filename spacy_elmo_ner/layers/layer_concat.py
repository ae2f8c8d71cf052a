"""Put a biLM's layers side by side, as Flair does (Akbik et al. 2019), in place of their mix."""

from collections.abc import Callable
from typing import Any, Literal

from thinc.api import Model
from thinc.types import Floats2d

from ..errors import Errors
from .scalar_mix import scalar_mix
from .types import DocLayers

# How one vector per token is made of a biLM's layers.
Combination = Literal["mix", "concatenate"]

LayersModel = Model[DocLayers, list[Floats2d]]


def combined(combine: Combination, n_layers: int, width: int | None = None) -> LayersModel:
    """Build what makes one vector per token of a biLM's layers; "mix" is `scalar_mix`.

    n_layers, width: of the biLM; 0 and None if known only from the data or the saved model.
    Raises ValueError for an unknown combination (EL128).
    """
    if combine == "mix":
        return scalar_mix(n_layers, width)
    if combine == "concatenate":
        return layer_concat(n_layers, width)
    raise ValueError(Errors.EL128.format(value=combine))


def layer_concat(n_layers: int, width: int | None = None) -> LayersModel:
    """Build (n_layers, n_tokens, width) -> (n_tokens, (n_layers - 1/2) * width) float32 per Doc.

    Layer 0 has the word's own vector twice, beside the forward and the backward states of the
    others; here it stands once. Nothing is learned: what reads the vectors weighs the layers.
    """
    nO = _width(n_layers, width) if n_layers and width is not None else None
    return Model("layer_concat", forward, init=init, dims={"nO": nO})


def forward(
    model: LayersModel, layers: DocLayers, is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], DocLayers]]:
    xp = model.ops.xp

    def backprop(d_outputs: list[Floats2d]) -> DocLayers:
        return [_apart(xp, d, x.shape) for d, x in zip(d_outputs, layers, strict=True)]

    return [xp.concatenate([x[0, :, : x.shape[2] // 2], *x[1:]], axis=1) for x in layers], backprop


def _apart(xp: Any, d_output: Any, shape: tuple[int, int, int]) -> Any:
    """Return a Doc's gradient by layer, (n_layers, n_tokens, width) float32."""
    n_layers, n_tokens, width = shape
    word = width // 2
    d_layers = xp.zeros(shape, dtype=d_output.dtype)
    d_layers[0, :, :word] = d_output[:, :word]
    d_layers[1:] = d_output[:, word:].reshape(n_tokens, n_layers - 1, width).swapaxes(0, 1)
    return d_layers


def init(model: LayersModel, X: DocLayers | None = None, Y: Any = None) -> None:
    """Take the width from the data."""
    if X is not None:
        n_layers, _, width = X[0].shape
        model.set_dim("nO", _width(n_layers, width))


def _width(n_layers: int, width: int) -> int:
    """Return the width of all layers side by side, half of layer 0 left out."""
    return (2 * n_layers - 1) * width // 2
