"""Score each token and label of Docs: embed, encode, score."""

from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc
from spacy.util import replace_model_node
from thinc.api import Linear, Model, chain, with_array
from thinc.types import Floats2d

from ..decoding import DecoderMode
from .crf import TransitionKind, crf, resized
from .types import EncoderModel, Tok2VecModel


@dataclass(frozen=True)
class Decoding:
    """Says how a pipe reads the scores.

    Thinc does not save objects of this type with the weights, so the config can change it after
    training.
    """

    decoder: DecoderMode
    transitions: TransitionKind


def build_elmo_tagger_v1(
    tok2vec: Tok2VecModel,
    encoder: EncoderModel | None = None,
    decoder: DecoderMode = "softmax",
    nO: int | None = None,
) -> Model[list[Doc], list[Floats2d]]:
    """Build `ElmoTagger.v2` with full transitions."""
    return build_elmo_tagger_v2(tok2vec, encoder, decoder, "full", nO)


def build_elmo_tagger_v2(
    tok2vec: Tok2VecModel,
    encoder: EncoderModel | None = None,
    decoder: DecoderMode = "softmax",
    transitions: TransitionKind = "structured",
    nO: int | None = None,
) -> Model[list[Doc], list[Floats2d]]:
    """Build the model: Docs -> emissions (n_tokens, n_labels) float32 each, not normalized.

    tok2vec: usually an ElmoConcat.v2; any spaCy tok2vec serves, such as an ElmoListener.v2.
    encoder: usually ResidualBiLSTM.v1; null where tok2vec encodes already, such as a listener to
        an encoder that several pipes share.
    decoder: "softmax" takes each token's best label, "constrained" the best valid sequence;
        both train on single tokens, so one can replace the other after training.
        "crf" trains whole sequences and learns how labels follow each other, as parameters of
        the model: choose it before training.
    transitions: what "crf" learns. "full" is a score for each pair of labels, and takes time
        quadratic in their number. "structured" knows BIO labels and is linear: all pairs have
        their own scores, except an entity directly after another, whose score is the sum of one
        for the label before and one for the type after.
    nO: number of labels; known at initialization.
    """
    encoded = encoder or tok2vec
    nI = encoded.get_dim("nO") if encoded.has_dim("nO") else None
    output_layer: Model[Floats2d, Floats2d] = Linear(nO=nO, nI=nI)
    output_layer.name = "emissions"
    if encoder is not None and tok2vec.has_dim("nO"):
        encoder.set_dim("nI", tok2vec.get_dim("nO"))
    sequence = [crf(transitions)] if decoder == "crf" else []
    model: Model[list[Doc], list[Floats2d]]
    model = chain(
        tok2vec, *([encoder] if encoder is not None else []), with_array(output_layer), *sequence
    )
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output_layer)
    model.set_ref("crf", sequence[0] if sequence else None)
    model.attrs["decoding"] = Decoding(decoder, transitions)
    model.attrs["resize_output"] = resize_output
    return model


def resize_output(model: Model[list[Doc], list[Floats2d]], nO: int) -> None:
    """Add outputs for new labels; old labels keep their scores, those of new ones are 0.

    The resized layers are new nodes, so that an optimizer holds no state of the old size.
    """
    old = model.get_ref("output_layer")
    n_old = old.get_dim("nO")
    new: Model[Floats2d, Floats2d] = Linear(nO=nO, nI=old.get_dim("nI"))
    new.name = old.name
    weights: Any = model.ops.alloc2f(nO, old.get_dim("nI"))
    bias: Any = model.ops.alloc1f(nO)
    weights[:n_old], bias[:n_old] = old.get_param("W"), old.get_param("b")
    new.set_param("W", weights)
    new.set_param("b", bias)
    around = [node for node in model.walk() if old in node.walk() and node is not old]
    replace_model_node(model, old, new)
    old_crf = model.maybe_get_ref("crf")
    if old_crf is not None:
        replace_model_node(model, old_crf, resized(old_crf, nO))
    for node in around:
        node.set_dim("nO", nO, force=True)
