"""Concatenate ELMo with other embeddings of a word, as in the paper ([x; ELMo])."""

from thinc.api import concatenate

from .types import Tok2VecModel


def build_elmo_concat_v1(elmo: Tok2VecModel, embed: Tok2VecModel) -> Tok2VecModel:
    """Build `ElmoConcat.v2` without static vectors, as pipelines of 0.1.0 have it."""
    return build_elmo_concat_v2(elmo, embed)


def build_elmo_concat_v2(
    elmo: Tok2VecModel,
    embed: Tok2VecModel | None = None,
    vectors: Tok2VecModel | None = None,
) -> Tok2VecModel:
    """Build Docs -> (n_tokens, sum of the parts' widths) float32 each, in the order of arguments.

    elmo: ElmoTok2Vec or ElmoListener, of any version.
    embed: any other tok2vec, for instance DistinctHashEmbed.v1, which learns what a frozen biLM
        does not know of the task's own words; null for none.
    vectors: usually WordVectors.v1; null for none.
    """
    parts = [part for part in (elmo, embed, vectors) if part is not None]
    model: Tok2VecModel = concatenate(*parts)
    if all(part.has_dim("nO") for part in parts):
        model.set_dim("nO", sum(part.get_dim("nO") for part in parts))
    return model
