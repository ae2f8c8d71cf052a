"""ELMo beside embeddings that are learned with the task, as in the paper ([x; ELMo])."""

from thinc.api import concatenate

from .types import Tok2VecModel


def build_elmo_concat_v1(elmo: Tok2VecModel, embed: Tok2VecModel) -> Tok2VecModel:
    """Docs -> (n_tokens, width of elmo + width of embed) float32 each.

    elmo: ElmoTok2Vec.v1 or ElmoListener.v1. embed: any other tok2vec, for instance
    DistinctHashEmbed.v1, which learns what a frozen biLM does not know of the task's own words.
    """
    model: Tok2VecModel = concatenate(elmo, embed)
    if elmo.has_dim("nO") and embed.has_dim("nO"):
        model.set_dim("nO", elmo.get_dim("nO") + embed.get_dim("nO"))
    return model
