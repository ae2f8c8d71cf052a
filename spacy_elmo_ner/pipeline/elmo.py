"""Run a biLM once per Doc for every pipe that listens: the shared `elmo` pipe."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import logger
from spacy.vocab import Vocab
from thinc.api import Config, Optimizer, set_dropout_rate
from thinc.types import Floats3d

from ..errors import Errors
from ..layers.bilm_layer import bilm_shim
from ..layers.elmo_listener import ListenerState
from ..layers.elmo_tok2vec import ListenerReplacement
from ..layers.types import BiLMModel, DocLayers, LayersBackprop
from .extensions import LAYERS, give_layers
from .kept_layers import KeptLayers
from .layers_cache import LayersCache
from .settings import ConfiguredPipe, PipelineRef, Setting, check_size, check_switch
from .upstream import UpstreamPipe

DEFAULT_ELMO_CONFIG = """
[model]
@architectures = "spacy_elmo_ner.BiLM.v1"
name = "small-en"
initial_state = "zeros"
include_bilm = false
"""


@Language.factory(
    "elmo",
    assigns=["doc._.elmo"],
    default_config={
        **Config().from_str(DEFAULT_ELMO_CONFIG),
        "trainable": False,
        "learn_rate_scale": 0.1,
        "keep_layers": False,
        "training_cache": 8.0,
    },
)
def make_elmo(
    nlp: Language,
    name: str,
    model: BiLMModel,
    trainable: bool,
    learn_rate_scale: float,
    keep_layers: bool,
    training_cache: float,
) -> "Elmo":
    """Make the shared `elmo` pipe.

    trainable: fine-tune the biLM on the listeners' gradients.
    learn_rate_scale: its learning rate, as a share of the pipeline's.
    keep_layers: keep each Doc's layers (n_layers, n_tokens, width) in doc._.elmo.
    training_cache: gigabytes of temporary disk for the layers of a frozen biLM, which are then
        computed once and not in every pass over the training Docs; 0 for none.
    """
    pipe = Elmo(
        nlp.vocab,
        model,
        name,
        trainable=trainable,
        learn_rate_scale=learn_rate_scale,
        keep_layers=keep_layers,
        training_cache=training_cache,
    )
    pipe.made_by = PipelineRef(nlp)
    return pipe


def check_keep_layers(pipe: "Elmo", name: str, value: Any) -> bool:
    """Raise ValueError for anything but True and False; make room for the layers."""
    keep = check_switch(pipe, name, value)
    if keep:
        LAYERS.register()
    return keep


class Elmo(ConfiguredPipe, UpstreamPipe):
    """Compute a Doc's biLM layers once; each listener mixes them in its own way.

    Layers are kept only until every listener has read them, and never longer than the Doc.
    """

    keep_layers = Setting(False, check_keep_layers)
    training_cache = Setting(8.0, check_size)

    def __init__(
        self,
        vocab: Vocab,
        model: BiLMModel,
        name: str = "elmo",
        *,
        trainable: bool = False,
        learn_rate_scale: float = 0.1,
        keep_layers: bool = False,
        training_cache: float = 8.0,
    ) -> None:
        super().__init__()
        self.vocab = vocab
        self.model = model
        self.name = name
        self.cfg: dict[str, Any] = {}
        type(self).keep_layers.configure(self, keep_layers)
        type(self).training_cache.configure(self, training_cache)
        shim = bilm_shim(model)
        shim.trainable = trainable
        shim.learn_rate_scale = learn_rate_scale
        replacement = ListenerReplacement()
        model.attrs["replace_listener"] = replacement.model
        model.attrs["replace_listener_cfg"] = replacement.config
        self._kept = KeptLayers()
        self._pending: tuple[DocLayers, LayersBackprop] | None = None
        self._optimizer: Optimizer | None = None
        self._cache: LayersCache | None = None

    # ---- layers ----------------------------------------------------------------------

    def layers(self, docs: Sequence[Doc], listener: BiLMModel) -> DocLayers:
        """Return the layers of these Docs for one listener: kept ones, or computed now."""
        kept_before = [self._kept.of(doc) for doc in docs]
        missing = [doc for doc, kept in zip(docs, kept_before, strict=True) if kept is None]
        computed = iter(self._kept.keep(missing, self.predict(missing)))
        # Held here: another thread that reads the same Doc may be the last, and let go of it.
        kept_here = [kept or next(computed) for kept in kept_before]
        listening = {node.id for node in self.listeners}
        for doc, kept in zip(docs, kept_here, strict=True):
            kept.read_by.add(listener.id)
            if listening <= kept.read_by:
                self._kept.pop(doc, None)
        return [kept.layers for kept in kept_here]

    @property
    def layers_cache(self) -> LayersCache | None:
        """Return the layers kept during training, or None before it.

        Pipes with the same frozen biLM may share one cache.
        """
        return self._cache

    @layers_cache.setter
    def layers_cache(self, cache: LayersCache | None) -> None:
        self._cache = cache

    # ---- prediction ------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> DocLayers:
        """Return each Doc's layers, (n_layers, n_tokens, width) float32."""
        docs = list(docs)
        cache = self._cache
        if cache is None:
            return self.model.predict(docs) if docs else []
        cached = [cache.get(doc) for doc in docs]
        missing = [doc for doc, layers in zip(docs, cached, strict=True) if layers is None]
        computed = self.model.predict(missing) if missing else []
        cache.put(missing, [self.model.ops.to_numpy(doc_layers) for doc_layers in computed])
        rest = iter(computed)
        return [
            next(rest)
            if doc_layers is None
            else self.model.ops.asarray3f(cast(Floats3d, doc_layers))
            for doc_layers in cached
        ]

    def set_annotations(self, docs: Sequence[Doc], layers: DocLayers) -> None:
        if self.listener_map:
            self._kept.keep(docs, layers)
        if self.keep_layers:
            for doc, doc_layers in zip(docs, layers, strict=True):
                give_layers(doc, doc_layers)

    # ---- saving ----------------------------------------------------------------------

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "Elmo":
        self.forget_layers()
        self._kept.clear()
        return super().from_bytes(bytes_data, exclude=exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "Elmo":
        self.forget_layers()
        self._kept.clear()
        return super().from_disk(path, exclude=exclude)

    # ---- training --------------------------------------------------------------------

    def initialize(
        self, get_examples: Callable[[], Iterable[Example]], *, nlp: Language | None = None
    ) -> None:
        """Read the weights; nothing is learned from the examples.

        From here on, the layers of a frozen biLM are kept for the next time the same words come,
        as far as `training_cache` allows.
        """
        validate_get_examples(get_examples, "Elmo.initialize")
        self.model.initialize(X=[example.x for example in islice(get_examples(), 10)])
        shim = bilm_shim(self.model)
        self.forget_layers()
        if self.training_cache and not shim.trainable:
            options = shim.bilm.options
            self._cache = LayersCache(
                options.n_layers, options.width, int(self.training_cache * 1e9)
            )
            n_tokens = sum(len(example.predicted) for example in get_examples())
            logger.info(
                "Layers of %s training tokens take %.2f GB, of %.2f GB that may be used in %s",
                f"{n_tokens:,}",
                n_tokens * options.n_layers * options.width * 4 / 1e9,
                self.training_cache,
                tempfile.gettempdir(),
            )

    def forget_layers(self) -> None:
        """Free the disk space that layers of training Docs take."""
        cache, self._cache = self._cache, None
        if cache is not None:
            cache.close()

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Hand this batch's layers to the listeners, which compute the loss; ours is always 0.

        A frozen biLM hands out nothing: listeners ask for what they need.
        """
        losses = losses if losses is not None else {}
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "Elmo.update")
        if not bilm_shim(self.model).trainable:
            return losses
        self._backpropagate()
        if self._optimizer is not None:
            self._change_weights(self._optimizer)
            self._optimizer = None
        docs = [example.predicted for example in examples]
        set_dropout_rate(self.model, drop)
        layers, backprop = self.model.begin_update(docs)
        gradients = [self.model.ops.alloc3f(*doc_layers.shape) for doc_layers in layers]
        self._pending = gradients, backprop

        def accumulate(d_layers: DocLayers) -> object:
            for total, d in zip(gradients, d_layers, strict=True):
                total += d
            return []

        for listener in self.listeners:
            state: ListenerState = listener.attrs["listener"]
            state.receive(docs, layers, accumulate)
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Change the weights, or let the next update do it if gradients are still to come.

        nlp.update(sgd=...) finishes this pipe before the listeners have run, and a weight
        changed between a pass forward and its way back would give a wrong gradient.
        """
        self._backpropagate()
        if self._pending is None:
            self._change_weights(sgd)
        else:
            self._optimizer = sgd

    def _change_weights(self, optimizer: Optimizer) -> None:
        self.model.finish_update(optimizer)
        if bilm_shim(self.model).trainable:
            self._kept.clear()

    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        """Use other weights until the generator is advanced, as spaCy's pipes do."""
        self._backpropagate()  # with the weights it belongs to
        with self.model.use_params(params):
            yield

    def _backpropagate(self) -> None:
        # Once for all listeners, whichever of them took part in the update.
        if self._pending is None:
            return
        gradients, backprop = self._pending
        if any(d.any() for d in gradients):
            self._pending = None
            backprop(gradients)

    def get_loss(self, examples: Iterable[Example], scores: Any) -> tuple[float, float]:
        return 0.0, 0.0

    def add_label(self, label: str) -> int:
        raise NotImplementedError(Errors.EL105.format(name=self.name))
