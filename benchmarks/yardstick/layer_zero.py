"""A biLM's word representation without its contextual layers, to tell what those add."""

from typing import Any

from spacy.util import registry
from thinc.api import Model, chain

from spacy_elmo_ner.layers.elmo_listener import build_elmo_listener_v1
from spacy_elmo_ner.layers.scalar_mix import scalar_mix
from spacy_elmo_ner.layers.types import DocLayers, Tok2VecModel


@registry.architectures("benchmarks.LayerZero.v1")
def build_layer_zero_v1(width: int, upstream: str = "elmo") -> Tok2VecModel:
    """Docs -> (n_tokens, width) float32 each: an `elmo` pipe's layer 0, times a learned factor."""
    listener = build_elmo_listener_v1(width, upstream).layers[0]
    first: Model[DocLayers, DocLayers] = Model("first_layer", forward)
    model: Tok2VecModel = chain(listener, first, scalar_mix(1, width))
    model.set_dim("nO", width)
    return model


def forward(
    model: Model[DocLayers, DocLayers], docs: DocLayers, is_train: bool
) -> tuple[DocLayers, Any]:
    # The biLM is frozen: nobody reads what would go back to it.
    return [layers[:1] for layers in docs], lambda d_layers: d_layers
