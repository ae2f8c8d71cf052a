"""Provide the [model] block of a pipe whose config has none."""

from thinc.api import Config

from ..decoding import DecoderMode
from ..layers.crf import TransitionKind
from ..layers.layer_concat import Combination

DEFAULT_MODEL = """
[model]
@architectures = "spacy_elmo_ner.ElmoTagger.v2"
decoder = "{decoder}"
transitions = "{transitions}"
nO = null

[model.tok2vec]
@architectures = "spacy_elmo_ner.ElmoConcat.v2"
embed = null

[model.tok2vec.elmo]
@architectures = "spacy_elmo_ner.ElmoTok2Vec.v2"
upstream = "*"
combine = "{combine}"

[model.tok2vec.elmo.bilm]
@architectures = "spacy_elmo_ner.BiLM.v1"
name = "small-en"

[model.tok2vec.vectors]
@architectures = "spacy_elmo_ner.WordVectors.v1"
name = "glove-en"

[model.encoder]
@architectures = "spacy_elmo_ner.ResidualBiLSTM.v1"
units = 128
dropout = 0.3
recurrent_dropout = 0.2
"""


def default_model(
    decoder: DecoderMode, transitions: TransitionKind, combine: Combination
) -> Config:
    """Return the block for a pipe with this decoder and combination of the biLM's layers."""
    settings = {"decoder": decoder, "transitions": transitions, "combine": combine}
    return Config().from_str(DEFAULT_MODEL.format(**settings))
