"""From Docs to one score per token and label: embed, encode, score."""

from dataclasses import dataclass
from typing import Literal

from spacy.tokens import Doc
from thinc.api import Linear, Model, chain, with_array
from thinc.types import Floats2d

from .types import EncoderModel, Tok2VecModel

DecoderName = Literal["softmax", "constrained"]


@dataclass(frozen=True)
class Decoding:
    """How a pipe reads the scores. An object of ours, so that it is not saved with the weights
    and the config can change it after training."""

    decoder: DecoderName


def build_elmo_tagger_v1(
    tok2vec: Tok2VecModel,
    encoder: EncoderModel,
    decoder: DecoderName = "softmax",
    nO: int | None = None,
) -> Model[list[Doc], list[Floats2d]]:
    """Docs -> emissions (n_tokens, n_labels) float32 each, not normalized.

    tok2vec: usually ElmoTok2Vec.v1 or ElmoListener.v1; any spaCy tok2vec serves.
    encoder: usually ResidualBiLSTM.v1.
    decoder: "softmax" takes each token's best label, "constrained" the best valid sequence.
    nO: number of labels; known at initialization.
    """
    output_layer: Model[Floats2d, Floats2d] = Linear(nO=nO, nI=encoder.get_dim("nO"))
    output_layer.name = "emissions"
    if tok2vec.has_dim("nO"):
        encoder.set_dim("nI", tok2vec.get_dim("nO"))
    model: Model[list[Doc], list[Floats2d]] = chain(tok2vec, encoder, with_array(output_layer))
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output_layer)
    model.attrs["decoding"] = Decoding(decoder)
    return model
