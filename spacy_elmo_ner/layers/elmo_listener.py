"""Read the layers of an `elmo` pipe earlier in the pipeline.

A listener holds no weights of the biLM. It asks its upstream pipe for the layers of the very
Docs it is given, so it never answers with another batch's, and never with zeros.
"""

import weakref
from collections.abc import Sequence
from typing import Any, Protocol

from spacy.tokens import Doc
from thinc.api import Model, chain

from ..errors import Errors
from .layer_concat import Combination, combined
from .scalar_mix import without_layer_norm
from .types import BiLMModel, DocLayers, LayersBackprop, Tok2VecModel


class Upstream(Protocol):
    """Declare what a listener needs of the `elmo` pipe."""

    name: str

    def layers(self, docs: Sequence[Doc], listener: BiLMModel) -> DocLayers:
        """Return the layers of these Docs for this node."""
        ...


class ListenerState:
    """Remember which pipe a node listens to, and the batch that pipe is training on.

    It is never saved: nodes are linked again whenever a pipeline is assembled. A copy of a pipeline
    is linked within itself, and a copy of a pipe or model alone to the same upstream pipe.
    """

    def __init__(self) -> None:
        self._upstream: weakref.ref[Upstream] | None = None
        self.bilm: Any = None  # shim of the biLM that this node learned to listen to
        self._is_news = False
        self.docs: Sequence[Doc] = ()
        self.outputs: DocLayers = []
        self.backprop: LayersBackprop | None = None

    @property
    def upstream(self) -> Upstream | None:
        """Return the pipe that the node listens to, or None."""
        return self._upstream() if self._upstream is not None else None

    def link(self, upstream: Upstream | None, bilm: Any = None) -> None:
        """Listen to this pipe from now on, or to none; bilm: the shim of its biLM."""
        self._upstream = weakref.ref(upstream) if upstream is not None else None
        self.bilm = bilm if bilm is not None else self.bilm
        self._is_news = upstream is not None

    def take_news(self) -> bool:
        """Return whether the node was linked since this was last asked."""
        is_news, self._is_news = self._is_news, False
        return is_news

    def receive(self, docs: Sequence[Doc], outputs: DocLayers, backprop: LayersBackprop) -> None:
        """Keep a training batch of the upstream pipe until the gradient has gone back."""
        self.docs, self.outputs, self.backprop = docs, outputs, backprop

    def clear(self) -> None:
        """Let go of the training batch."""
        self.docs, self.outputs, self.backprop = (), [], None

    def has(self, docs: Sequence[Doc]) -> bool:
        """Return whether the training batch consists of these very Docs."""
        return len(docs) == len(self.docs) > 0 and all(
            a is b for a, b in zip(docs, self.docs, strict=True)
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> "ListenerState":
        other = ListenerState()
        # What is copied already is in the memo: an `elmo` pipe comes before its listeners.
        other.link(memo.get(id(self.upstream), self.upstream))
        other.bilm = memo.get(id(self.bilm), self.bilm)
        return other

    def __getstate__(self) -> dict[str, Any]:
        # To another process pipes go together, and stay linked there.
        return {"upstream": self.upstream, "bilm": self.bilm}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        self.link(state["upstream"], state["bilm"])


def build_elmo_listener_v1(
    width: int, upstream: str = "elmo", n_layers: int = 3, layer_norm: bool = False
) -> Tok2VecModel:
    """Build `ElmoListener.v2` with a learned mix of the layers: (n_tokens, width) float32 per Doc.

    layer_norm: no longer supported; False in the configs of older pipelines.
    """
    without_layer_norm(layer_norm)
    return build_elmo_listener_v2(width, upstream, n_layers, "mix")


def build_elmo_listener_v2(
    width: int, upstream: str = "elmo", n_layers: int = 3, combine: Combination = "concatenate"
) -> Tok2VecModel:
    """Build Docs -> vectors of each Doc's tokens, float32, from an `elmo` pipe's layers.

    width: of the upstream biLM, 256 for "small-en"; checked when linked.
    upstream: the pipe's name, or "*" for the nearest `elmo` pipe before this one.
    n_layers: of the upstream biLM, its first layer of words included: 3 for "small-en"; checked
        when it runs. 0 to take what initialization finds.
    combine: "concatenate" puts all layers side by side, the word's own vector once:
        (n_tokens, (n_layers - 1/2) * width), 640 for "small-en". "mix" adds them up with learned
        weights, (n_tokens, width), as the ELMo paper does and ElmoListener.v1.
    Raises ValueError for another combination.
    """
    listener: BiLMModel = Model(
        "elmo_listener",
        forward,
        dims={"nO": width},
        attrs={"listener": ListenerState(), "upstream": upstream, "n_layers": n_layers},
    )
    layers = combined(combine, n_layers, width)
    model: Tok2VecModel = chain(listener, layers)
    if layers.has_dim("nO"):
        model.set_dim("nO", layers.get_dim("nO"))
    return model


def forward(
    model: BiLMModel, docs: Sequence[Doc], is_train: bool
) -> tuple[DocLayers, LayersBackprop]:
    linked = read_upstream(model, docs, is_train)
    if linked is None:
        raise ValueError(Errors.EL103.format(upstream=model.attrs["upstream"]))
    n_layers, (outputs, _) = model.attrs["n_layers"], linked
    if n_layers and outputs and len(outputs[0]) != n_layers:
        names = {"upstream": model.attrs["upstream"], "found": len(outputs[0])}
        raise ValueError(Errors.EL129.format(n_layers=n_layers, **names))
    return linked


def read_upstream(
    model: BiLMModel, docs: Sequence[Doc], is_train: bool
) -> tuple[DocLayers, LayersBackprop] | None:
    """Return the layers that the linked `elmo` pipe has for these Docs, and where gradients go.

    None for a node that is not linked.
    """
    state: ListenerState = model.attrs["listener"]
    upstream = state.upstream
    if upstream is None:
        return None
    if not (is_train and state.has(docs)):
        return upstream.layers(docs, model), lambda d_layers: []
    outputs, backprop = state.outputs, state.backprop
    state.clear()
    return outputs, backprop or (lambda d_layers: [])
