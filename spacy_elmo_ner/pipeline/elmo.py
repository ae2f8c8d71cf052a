"""Run a biLM once per Doc for every pipe that listens: the shared `elmo` pipe."""

import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import logger
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate
from thinc.types import Floats3d

from ..errors import Errors
from ..layers.bilm_layer import bilm_shim
from ..layers.elmo_listener import ListenerState
from ..layers.elmo_tok2vec import ListenerReplacement
from ..layers.types import BiLMModel, DocLayers, LayersBackprop
from .layers_cache import LayersCache, word_hashes
from .listening import has_weights

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
    return Elmo(
        nlp.vocab,
        model,
        name,
        trainable=trainable,
        learn_rate_scale=learn_rate_scale,
        keep_layers=keep_layers,
        training_cache=training_cache,
    )


class Elmo(TrainablePipe):
    """Compute a Doc's biLM layers once; each listener mixes them in its own way.

    Layers are kept only until every listener has read them, and never longer than the Doc.
    """

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
        self.vocab = vocab
        self.model = model
        self.name = name
        self.cfg: dict[str, Any] = {}
        self.keep_layers = keep_layers
        self.training_cache = training_cache
        self._listener_map: dict[str, list[Model]] = {}
        shim = bilm_shim(model)
        shim.trainable = trainable
        shim.learn_rate_scale = learn_rate_scale
        replacement = ListenerReplacement()
        model.attrs["replace_listener"] = replacement.model
        model.attrs["replace_listener_cfg"] = replacement.config
        self._kept = _KeptLayers()
        self._pending: tuple[DocLayers, LayersBackprop] | None = None
        self._optimizer: Optimizer | None = None
        self._cache: LayersCache | None = None
        if keep_layers and not Doc.has_extension("elmo"):
            Doc.set_extension("elmo", default=None)

    # ---- listeners -------------------------------------------------------------------

    @property
    def listener_map(self) -> dict[str, list[Model]]:
        """Return the nodes that listen to this pipe, by the name of their pipe."""
        return self._listener_map

    @listener_map.setter
    def listener_map(self, value: dict[str, list[Model]]) -> None:
        """Unlink all listeners: spaCy sets an empty map before it links a pipeline again."""
        for node in self.listeners:
            node.attrs["listener"].link(None)
        self._listener_map = value

    @property
    def listeners(self) -> list[Model]:
        return [node for nodes in self.listener_map.values() for node in nodes]

    @property
    def listening_components(self) -> list[str]:
        return list(self.listener_map)

    def add_listener(self, listener: Model, component_name: str) -> None:
        nodes = self.listener_map.setdefault(component_name, [])
        if listener not in nodes:
            nodes.append(listener)
            listener.attrs["listener"].link(self, bilm_shim(self.model))

    def remove_listener(self, listener: Model, component_name: str) -> bool:
        nodes = self.listener_map.get(component_name, [])
        if listener not in nodes:
            return False
        nodes.remove(listener)
        if not nodes:
            del self.listener_map[component_name]
        listener.attrs["listener"].link(None)
        return True

    def find_listeners(self, component: Any) -> None:
        """Link the nodes of a later pipe that ask for this one.

        A listener whose upstream pipe is missing, for instance because it was renamed, listens to
        the nearest `elmo` pipe before it. A node with its own biLM (ElmoTok2Vec) is linked only if
        both are frozen and have the same weights, so that linking only saves time.

        Raises ValueError for a listener of another width, or one that was trained with another
        biLM.
        """
        model = getattr(component, "model", None)
        if not isinstance(model, Model):
            return
        for node in model.walk():
            upstream = node.attrs.get("upstream")
            if upstream is None:
                continue
            if upstream not in ("*", self.name) and (node.shims or _has_upstream(node)):
                continue
            if node.shims and not bilm_shim(node).same_weights(bilm_shim(self.model)):
                continue
            if not node.shims:
                self._require_fit(node, component)
            self._take_over(node)
            self.add_listener(node, component.name)

    def _require_fit(self, node: Model, component: Any) -> None:
        names = {"name": component.name, "upstream": self.name}
        if self.model.has_dim("nO") and node.has_dim("nO"):
            found, width = self.model.get_dim("nO"), node.get_dim("nO")
            if found != width:
                raise ValueError(Errors.EL104.format(**names, width=width, found=found))
        learned, ours = node.attrs["listener"].bilm, bilm_shim(self.model)
        if learned is None or learned.same_bilm(ours) or not has_weights(component.model):
            return
        raise ValueError(Errors.EL121.format(**names, learned=learned.name, found=ours.name))

    def _take_over(self, node: Model) -> None:
        """Unlink a node from an earlier `elmo` pipe: the nearest one before a listener counts."""
        upstream = node.attrs["listener"].upstream
        if isinstance(upstream, Elmo) and upstream is not self:
            for name in upstream.listening_components:
                upstream.remove_listener(node, name)

    def layers(self, docs: Sequence[Doc], reader: BiLMModel) -> DocLayers:
        """Return the layers of these Docs for one listener: kept ones, or computed now."""
        found = [self._kept_of(doc) for doc in docs]
        missing = [doc for doc, kept in zip(docs, found, strict=True) if kept is None]
        computed = iter(self._keep(missing, self.predict(missing)))
        # Held here: another thread that reads the same Doc may be the last, and let go of it.
        kept_here = [kept or next(computed) for kept in found]
        wanted = {node.id for node in self.listeners}
        for doc, kept in zip(docs, kept_here, strict=True):
            kept.readers.add(reader.id)
            if wanted <= kept.readers:
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

    def _kept_of(self, doc: Doc) -> "_Kept | None":
        kept = self._kept.get(doc)
        # A Doc whose tokens were merged or split since has other layers now.
        return kept if kept is not None and kept.words == word_hashes(doc) else None

    def _keep(self, docs: Sequence[Doc], layers: DocLayers) -> "list[_Kept]":
        result = []
        for doc, one in zip(docs, layers, strict=True):
            kept = self._kept[doc] = _Kept(word_hashes(doc), one)
            result.append(kept)
        return result

    # ---- prediction ------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> DocLayers:
        """Return each Doc's layers, (n_layers, n_tokens, width) float32."""
        docs = list(docs)
        cache = self._cache
        if cache is None:
            return self.model.predict(docs) if docs else []
        found = [cache.get(doc) for doc in docs]
        missing = [doc for doc, layers in zip(docs, found, strict=True) if layers is None]
        computed = self.model.predict(missing) if missing else []
        cache.put(missing, [self.model.ops.to_numpy(one) for one in computed])
        rest = iter(computed)
        return [
            next(rest) if one is None else self.model.ops.asarray3f(cast(Floats3d, one))
            for one in found
        ]

    def set_annotations(self, docs: Sequence[Doc], layers: DocLayers) -> None:
        if self.listener_map:
            self._keep(docs, layers)
        if self.keep_layers:
            for doc, one in zip(docs, layers, strict=True):
                doc._.elmo = one

    # ---- saving ----------------------------------------------------------------------

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "Elmo":
        self.forget_layers()
        return super().from_bytes(bytes_data, exclude=exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "Elmo":
        self.forget_layers()
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
            self.model.finish_update(self._optimizer)
            self._optimizer = None
        docs = [example.predicted for example in examples]
        set_dropout_rate(self.model, drop)
        layers, backprop = self.model.begin_update(docs)
        gradients = [self.model.ops.alloc3f(*one.shape) for one in layers]
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
            self.model.finish_update(sgd)
        else:
            self._optimizer = sgd

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


class _Kept:
    """Hold a Doc's layers, their words, and the ids of the nodes that have read them."""

    __slots__ = ("layers", "readers", "words")

    def __init__(self, words: bytes, layers: Floats3d) -> None:
        self.words = words
        self.layers = layers
        self.readers: set[int] = set()


class _KeptLayers(weakref.WeakKeyDictionary[Doc, _Kept]):
    """Hold layers by Doc, no longer than the Doc lives; another process has other Docs."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _KeptLayers, ()


def _has_upstream(node: Model) -> bool:
    """Return whether this listener is linked to the pipe it asks for."""
    upstream = node.attrs["listener"].upstream
    return upstream is not None and node.attrs["upstream"] == upstream.name
