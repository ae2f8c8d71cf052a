"""Make one vector per token of a biLM's layers: a tok2vec for any spaCy component."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from thinc.api import chain

from ..elmo.pretrained import read_options
from ..errors import Errors
from .bilm_layer import bilm_shim
from .layer_concat import Combination, combined
from .scalar_mix import without_layer_norm
from .types import BiLMModel, Tok2VecModel


def build_elmo_tok2vec_v1(
    bilm: BiLMModel,
    upstream: str | None = "*",
    trainable: bool = False,
    learn_rate_scale: float = 0.1,
    layer_norm: bool = False,
) -> Tok2VecModel:
    """Build `ElmoTok2Vec.v2` with a learned mix of the layers: (n_tokens, width) float32 per Doc.

    layer_norm: no longer supported; False in the configs of older pipelines.
    """
    without_layer_norm(layer_norm)
    return build_elmo_tok2vec_v2(bilm, upstream, trainable, learn_rate_scale, "mix")


def build_elmo_tok2vec_v2(
    bilm: BiLMModel,
    upstream: str | None = "*",
    trainable: bool = False,
    learn_rate_scale: float = 0.1,
    combine: Combination = "concatenate",
) -> Tok2VecModel:
    """Build Docs -> vectors of each Doc's tokens, float32, from the layers of a biLM.

    bilm: usually BiLM.v1.
    upstream: read the layers of this `elmo` pipe ("*": of any) if it is earlier in the pipeline
        and has the same frozen biLM, so that they are computed once; None to compute them here
        always.
    trainable: fine-tune the biLM.
    learn_rate_scale: its learning rate, as a share of the pipeline's.
    combine: "concatenate" puts all layers side by side, the word's own vector once:
        (n_tokens, (n_layers - 1/2) * width), 640 for "small-en". "mix" adds them up with learned
        weights, (n_tokens, width), as the ELMo paper does and ElmoTok2Vec.v1.
    Raises ValueError for another combination.
    """
    shim = bilm_shim(bilm)
    options = read_options(shim.name)
    n_layers = options.n_layers if options else 0  # without options, initialization finds out
    shim.trainable = trainable
    shim.learn_rate_scale = learn_rate_scale
    bilm.attrs["upstream"] = upstream if not trainable else None
    layers = combined(combine, n_layers, bilm.get_dim("nO") if bilm.has_dim("nO") else None)
    model: Tok2VecModel = chain(bilm, layers)
    if layers.has_dim("nO"):
        model.set_dim("nO", layers.get_dim("nO"))
    return model


class ListenerReplacement:
    """Makes config and model of a pipe whose listener becomes a biLM of its own.

    spaCy's replace_listeners asks for the config first, with the whole [model.tok2vec] block in
    hand, puts it where the user's path says and then asks for the model, node by node. The path
    may be that of the block although the listener is deeper inside, as in an ElmoConcat.
    """

    def __init__(self) -> None:
        self._block: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._configs: list[dict[str, Any]] = []  # given since the last model

    def __deepcopy__(self, memo: dict[int, Any]) -> "ListenerReplacement":
        return ListenerReplacement()

    def config(self, elmo_cfg: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
        """Return the config that takes the listener's place."""
        if not self._configs:
            self._block, self._before = block, copy.deepcopy(block)
        config = {
            "@architectures": "spacy_elmo_ner.ElmoTok2Vec.v1",
            "upstream": None,
            "bilm": copy.deepcopy(elmo_cfg),
        }
        self._configs.append(config)
        return config

    def model(self, bilm: BiLMModel, listener: BiLMModel, elmo: Any) -> BiLMModel:
        """Return the copy of the biLM, changed to compute for itself, that takes its place.

        Raises ValueError where the path did not say which of several listeners was meant.
        """
        configs, self._configs = self._configs, []
        shim = bilm_shim(bilm)
        for config in configs:
            if shim.trainable:
                config.update(trainable=True, learn_rate_scale=shim.learn_rate_scale)
        in_block = {path: _at(self._block, path) for path in _paths(self._block)}
        elsewhere = [
            config for config in configs if not any(config is other for other in in_block.values())
        ]
        listeners = list(_listener_paths(self._before))
        for path in listeners:
            if any(in_block.get(path) is config for config in configs):
                _combine_as(in_block[path], _at(self._before, path))
        if elsewhere and listeners:
            _combine_as(elsewhere[-1], _at(self._before, listeners[0]))
        if elsewhere and listeners not in ([], [()]):
            # The user's path was that of the block: spaCy has put the config in its place.
            config = elsewhere[-1]
            own = copy.deepcopy(config)
            config.clear()
            config.update(self._before)
            if len(listeners) > 1 or len(configs) > 1:
                names = ", ".join(".".join(("model.tok2vec", *path)) for path in listeners)
                raise ValueError(Errors.EL122.format(paths=names))
            *parents, last = listeners[0]
            _at(config, parents)[last] = own
        for name in ("replace_listener", "replace_listener_cfg"):
            bilm.attrs.pop(name, None)
        bilm.attrs["upstream"] = None
        return bilm


def _combine_as(config: dict[str, Any], listener: dict[str, Any]) -> None:
    """Have the config of an ElmoTok2Vec combine layers as this listener's does."""
    version = listener["@architectures"].rpartition(".")[2]
    config["@architectures"] = f"spacy_elmo_ner.ElmoTok2Vec.{version}"
    if "combine" in listener:
        config["combine"] = listener["combine"]


def _paths(block: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all blocks within this one, which is at ()."""
    yield ()
    for name, value in block.items():
        if isinstance(value, dict):
            yield from ((name, *path) for path in _paths(value))


def _listener_paths(block: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for path in _paths(block):
        name = str(_at(block, path).get("@architectures", ""))
        if name.startswith(("spacy_elmo_ner.ElmoListener.", "spacy_elmo_ner.ElmoTok2Vec.")):
            yield path


def _at(block: dict[str, Any], path: Iterable[str]) -> dict[str, Any]:
    for name in path:
        block = block[name]
    return block
