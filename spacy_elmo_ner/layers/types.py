"""Name the types of what flows between layers."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Floats3d

# One Doc's biLM layers, (n_layers, n_tokens, width) float32; a batch of them.
DocLayers = list[Floats3d]
BiLMModel = Model[list[Doc], DocLayers]
Tok2VecModel = Model[list[Doc], list[Floats2d]]
EncoderModel = Model[list[Floats2d], list[Floats2d]]

# Takes gradients of a batch of layers; what it returns is never used.
LayersBackprop = Callable[[DocLayers], object]
