"""Train a linear-chain CRF: its parameters, its loss and their gradient (Lafferty et al. 2001)."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import MISSING, BIOTransitions, FullTransitions, Transitions, crf_loss

CRFModel = Model[list[Floats2d], list[Floats2d]]
TransitionKind = Literal["full", "structured"]

# The name of the layer by kind, which is saved with it, and its parameters with the field of the
# transitions that each holds.
NAMES: dict[TransitionKind, str] = {"full": "crf", "structured": "structured_crf"}
_PARAMETERS: dict[str, dict[str, str]] = {
    "crf": {"transitions": "between", "start": "start", "end": "end"},
    "structured_crf": {
        name: name for name in ("outside", "leave", "enter", "inside", "start", "end")
    },
}


class SequenceGradient(list[Floats2d]):
    """Holds the gradient for the emissions of each Doc, and for the CRF's parameters by name."""

    def __init__(
        self, d_emissions: Sequence[Floats2d], d_parameters: dict[str, NDArray[np.float64]]
    ) -> None:
        super().__init__(d_emissions)
        self.d_parameters = d_parameters


def crf(kind: TransitionKind = "full") -> CRFModel:
    """Build the layer: emissions (n_tokens, n_labels) -> the same.

    It holds what the labels before and after add, see `FullTransitions` and `BIOTransitions`:
    float32 parameters that begin at 0. Transitions that a label scheme forbids are not masked
    here; the caller masks them.
    """
    name = NAMES[kind]
    return Model(
        name, forward, init=init, dims={"nO": None}, params=dict.fromkeys(_PARAMETERS[name])
    )


def forward(
    model: CRFModel, emissions: list[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Floats2d]]]:
    def backprop(gradient: list[Floats2d]) -> list[Floats2d]:
        # What the parameters add is not in the emissions but in the loss, which knows gold.
        if isinstance(gradient, SequenceGradient):
            for name, values in gradient.d_parameters.items():
                model.inc_grad(name, model.ops.xp.asarray(values, dtype="f"))
        return gradient

    return emissions, backprop


def init(model: CRFModel, X: list[Floats2d] | None = None, Y: Any = None) -> None:
    if X is not None:
        model.set_dim("nO", X[0].shape[1])
    zeros = _zeros(model)
    for name, field in _PARAMETERS[model.name].items():
        model.set_param(name, model.ops.alloc(getattr(zeros, field).shape))


def learned(model: CRFModel) -> Transitions:
    """Return the parameters as they are now, float64 on the CPU."""
    kind = BIOTransitions if model.name == NAMES["structured"] else FullTransitions
    fields = _PARAMETERS[model.name]
    return kind(**{field: model.ops.to_numpy(model.get_param(p)) for p, field in fields.items()})


def resized(model: CRFModel, n_labels: int) -> CRFModel:
    """Return a layer with room for new labels after the old ones.

    Parameters of new labels start at 0, the others keep their values. Thinc does not change the
    size of a layer that has parameters.
    """
    kind = next(kind for kind, name in NAMES.items() if name == model.name)
    result = crf(kind)
    result.set_dim("nO", n_labels)
    result.initialize()
    for name in _PARAMETERS[model.name]:
        before, after = model.get_param(name), cast(Any, result.get_param(name))
        after[tuple(slice(size) for size in before.shape)] = before
    return result


def sequence_loss(
    model: CRFModel,
    transitions: Transitions,
    emissions: Sequence[Floats2d],
    gold: ArrayLike,
) -> tuple[float, SequenceGradient]:
    """Compute the negative log-likelihood in nats per annotated token, and its gradient.

    The layer's backprop takes that gradient. The loss is per token so that, for the optimizer's
    other settings, it weighs as much as cross-entropy.
    transitions: those learned, or constrained. emissions: (n_tokens, n_labels) float32 of each
    Doc; gold: (n_tokens of all Docs,) int64, labels or MISSING.
    """
    ops = model.ops
    lengths = [len(doc_emissions) for doc_emissions in emissions]
    scores = ops.to_numpy(ops.xp.concatenate(list(emissions)))
    result = crf_loss(scores, lengths, gold, transitions)
    scale = 1.0 / max(1, int((np.asarray(gold) != MISSING).sum()))
    d_emissions = ops.xp.asarray(scale * result.d_emissions, dtype="f")
    return scale * float(result.losses.sum()), SequenceGradient(
        ops.xp.split(d_emissions, np.cumsum(lengths)[:-1].tolist()),
        {
            name: scale * result.d_transitions[field]
            for name, field in _PARAMETERS[model.name].items()
        },
    )


def _zeros(model: CRFModel) -> Transitions:
    n_labels = model.get_dim("nO")
    if model.name == NAMES["structured"]:
        return BIOTransitions.zeros((n_labels - 1) // 2)
    return FullTransitions.zeros(n_labels)
