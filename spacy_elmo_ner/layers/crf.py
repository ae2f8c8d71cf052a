"""The parameters of a linear-chain CRF, learned with the rest of a head (Lafferty et al. 2001)."""

from typing import Any

from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import CRFLoss, Transitions

CRFModel = Model[list[Floats2d], list[Floats2d]]


def crf() -> CRFModel:
    """Emissions (n_tokens, n_labels) -> the same; holds what the labels before and after add.

    transitions: (n_labels, n_labels) float32, [from, to]; start, end: (n_labels,) float32: scores
    of a label after another, of the first, and of the last label of a Doc. All begin at 0. What
    a label scheme forbids is for its user to forbid: here it scores 0 and gets no gradient.
    """
    return Model(
        "crf",
        forward,
        init=init,
        dims={"nO": None},
        params={"transitions": None, "start": None, "end": None},
    )


def forward(
    model: CRFModel, emissions: list[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Any]:
    # The gradient of its own parameters comes from the loss, see `add_gradient`.
    return emissions, lambda d_emissions: d_emissions


def init(model: CRFModel, X: list[Floats2d] | None = None, Y: Any = None) -> None:
    if X is not None:
        model.set_dim("nO", X[0].shape[1])
    n_labels = model.get_dim("nO")
    model.set_param("transitions", model.ops.alloc2f(n_labels, n_labels))
    model.set_param("start", model.ops.alloc1f(n_labels))
    model.set_param("end", model.ops.alloc1f(n_labels))


def resized(model: CRFModel, n_labels: int) -> CRFModel:
    """A new layer with the scores of this one's labels, and 0 for those of labels after them."""
    other = crf()
    n_old = model.get_dim("nO")
    other.set_dim("nO", n_labels)
    init(other)
    for name in other.param_names:
        value = other.get_param(name)
        value[(slice(n_old),) * value.ndim] = model.get_param(name)
        other.set_param(name, value)
    return other


def learned(model: CRFModel) -> Transitions:
    """The parameters as they are now, numpy."""
    names = ("transitions", "start", "end")
    return Transitions(*(model.ops.to_numpy(model.get_param(name)) for name in names))


def add_gradient(model: CRFModel, loss: CRFLoss, scale: float) -> None:
    """Keep the gradient of these parameters, times scale, for the optimizer's next step."""
    gradients = {"transitions": loss.d_transitions, "start": loss.d_start, "end": loss.d_end}
    for name, gradient in gradients.items():
        model.inc_grad(name, model.ops.xp.asarray(scale * gradient, dtype="f"))
