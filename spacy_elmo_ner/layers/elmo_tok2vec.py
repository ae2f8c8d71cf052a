"""A biLM and a learned mix of its layers: a tok2vec for any spaCy component."""

from typing import Any

from thinc.api import chain

from ..elmo.pretrained import read_options
from .bilm_layer import bilm_shim
from .scalar_mix import scalar_mix
from .types import BiLMModel, Tok2VecModel


def build_elmo_tok2vec_v1(
    bilm: BiLMModel,
    upstream: str | None = "*",
    trainable: bool = False,
    learn_rate_scale: float = 0.1,
    layer_norm: bool = False,
) -> Tok2VecModel:
    """Docs -> (n_tokens, width) float32 each.

    upstream: read the layers of this `elmo` pipe where it stands earlier in the pipeline with
        the same frozen biLM ("*" for any name), so that they are computed once; None to compute
        them always here.
    trainable: fine-tune the biLM, at learn_rate_scale times the learning rate.
    layer_norm: see `scalar_mix`.
    """
    shim = bilm_shim(bilm)
    options = read_options(shim.name)
    n_layers = options.n_layers if options else 0  # without options, initialization finds out
    shim.trainable = trainable
    shim.learn_rate_scale = learn_rate_scale
    bilm.attrs["upstream"] = upstream if not trainable else None
    model: Tok2VecModel = chain(bilm, scalar_mix(n_layers, layer_norm=layer_norm))
    if bilm.has_dim("nO"):
        model.set_dim("nO", bilm.get_dim("nO"))
    return model


def replace_listener_cfg(elmo_cfg: dict[str, Any], listener_cfg: dict[str, Any]) -> dict[str, Any]:
    """The config of a pipe whose listener became a biLM of its own."""
    # spaCy hands over the whole [model.tok2vec] block; in an ElmoConcat the listener is inside.
    listener_cfg = listener_cfg.get("elmo", listener_cfg)
    return {
        "@architectures": "spacy_elmo_ner.ElmoTok2Vec.v1",
        "upstream": None,
        "layer_norm": listener_cfg.get("layer_norm", False),
        "bilm": elmo_cfg,
    }
