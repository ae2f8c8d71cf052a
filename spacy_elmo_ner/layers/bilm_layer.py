"""Wrap the biLM as a Thinc layer: Docs in, layers out. Frozen unless its owner trains it."""

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

import numpy as np
import srsly
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model, Optimizer
from thinc.types import Floats3d
from thinc.util import xp2torch

from ..elmo import BiLM
from ..elmo.bilm import InitialState
from ..elmo.modes import lasting, training
from ..elmo.pretrained import is_published, packaged_name, published_sha256, read_options
from ..elmo.shared import shared_bilm, shared_from_bytes
from ..errors import Errors
from .elmo_listener import ListenerState, read_upstream
from .torch_shim import Precision, TorchShim, in_precision
from .types import BiLMModel, DocLayers, LayersBackprop
from .windows import windows


def build_bilm_v1(
    name: str = "small-en",
    initial_state: Literal["zeros", "warm"] = "zeros",
    include_bilm: bool = False,
    precision: Precision = "exact",
) -> BiLMModel:
    """Build Docs -> each Doc's layers (n_layers, n_tokens, width) float32 (Peters et al. 2018).

    name: "small-en", an official name, or a folder with options.json and weights. Only the
        options are read here; weights are read at first use and shared by all who name them.
    initial_state: what every Doc starts from, see `BiLM.embed`.
    include_bilm: save the weights with the pipeline. By default published weights are saved as
        name and sha256; weights from a folder, or trained further, are always saved.
    precision: "bf16" predicts with matrix products in bfloat16 on CPUs that have them, slightly
        different; other CPUs stay exact. See docs/speed.md for what it gains. In the training of
        a pipe, its own biLM is exact; that of an `elmo` pipe is as it will be in prediction.
    Raises FileNotFoundError or ValueError for a name that is neither published nor a folder.
    """
    in_precision(precision)
    options = read_options(name)
    return Model(
        "bilm",
        forward,
        init=init,
        dims={"nO": options.width if options else None},
        attrs={"listener": ListenerState()},
        shims=[BiLMShim(name, initial_state, include_bilm, precision)],
    )


def forward(
    model: BiLMModel, docs: Sequence[Doc], is_train: bool
) -> tuple[DocLayers, LayersBackprop]:
    linked = read_upstream(model, docs, is_train)
    if linked is not None:
        return linked
    shim = bilm_shim(model)
    texts = doc_words(docs)
    cut = [windows(len(words)) for words in texts]
    pieces = [words[w.start : w.end] for words, own in zip(texts, cut, strict=True) for w in own]
    if not (is_train and shim.trainable):
        bilm = shim.bilm
        layers = [_new_layers(bilm, len(words)) for words in texts]
        places = [(doc_layers, w) for doc_layers, own in zip(layers, cut, strict=True) for w in own]
        with in_precision("exact" if is_train else shim.precision):
            for i, piece_layers in bilm.iter_layers(pieces, initial_state=shim.initial_state):
                of_doc, w = places[i]
                of_doc[:, w.first : w.last] = piece_layers[:, w.kept]
        return [_layers(model, doc_layers) for doc_layers in layers], lambda d_layers: []
    bilm = shim.bilm
    with training():
        outputs_of_pieces, _ = bilm.run(pieces, bilm.initial_states(shim.initial_state))
        tensors = iter(outputs_of_pieces)
        by_doc = [[next(tensors)[:, w.kept] for w in own] for own in cut]

    def backprop(d_layers: DocLayers) -> object:
        outputs = [part for own in by_doc for part in own]
        with training():
            gradients = [
                xp2torch(d)[:, w.first : w.last]
                for d, own in zip(d_layers, cut, strict=True)
                for w in own
            ]
            torch.autograd.backward(outputs, gradients)
        return []

    empty = _new_layers(bilm, 0)
    detached = [[empty, *(part.detach().cpu().numpy() for part in own)] for own in by_doc]
    return [_layers(model, np.concatenate(own, axis=1)) for own in detached], backprop


def init(model: BiLMModel, X: Sequence[Doc] | None = None, Y: DocLayers | None = None) -> None:
    """Read the weights, so that a missing file is an error before training starts."""
    model.set_dim("nO", bilm_shim(model).bilm.options.width)


def doc_words(docs: Sequence[Doc]) -> list[list[str]]:
    """Return the words of each Doc."""
    return [[token.text for token in doc] for doc in docs]


def bilm_shim(model: BiLMModel) -> "BiLMShim":
    """Return the shim that holds the node's biLM."""
    (shim,) = model.shims
    return cast(BiLMShim, shim)


def _new_layers(bilm: BiLM, n_tokens: int) -> NDArray[np.float32]:
    """Allocate the layers of one Doc."""
    return np.empty((bilm.options.n_layers, n_tokens, bilm.options.width), dtype=np.float32)


def _layers(model: BiLMModel, layers: NDArray[np.float32]) -> Floats3d:
    return model.ops.asarray3f(cast(Floats3d, layers))


class BiLMShim(TorchShim):
    """Hold a biLM that is shared while frozen, and saved by name if it is published.

    trainable: set by the owner; gives this shim its own weights.
    """

    def __init__(
        self, name: str, initial_state: InitialState, include_bilm: bool, precision: Precision
    ) -> None:
        super().__init__(self._read)
        self.precision = precision
        self.name = name
        self.initial_state = initial_state
        self.include_bilm = include_bilm
        self.trainable = False
        self._came_along = False  # the weights, with a saved pipeline; those of the name may differ

    @property
    def bilm(self) -> BiLM:
        """Return the biLM, read at first use: a shared one if frozen, else one of its own."""
        bilm = cast(BiLM, self.module)
        if self.trainable and not next(bilm.parameters()).requires_grad:
            with self._lock:
                bilm = self._model
                if not next(bilm.parameters()).requires_grad:
                    bilm = self._model = _trainable_copy(bilm)
        return bilm

    def same_bilm(self, other: "BiLMShim") -> bool:
        """Tell whether both have the same weights, however they run them; may read weights."""
        if self is other or self.trainable or other.trainable:
            return self is other
        if self.name == other.name and self._model is None and other._model is None:
            return True
        if self.bilm is other.bilm:
            return True
        ours, theirs = self.bilm.state_dict(), other.bilm.state_dict()
        return ours.keys() == theirs.keys() and all(
            torch.equal(value, theirs[name]) for name, value in ours.items()
        )

    def same_weights(self, other: "BiLMShim") -> bool:
        """Tell whether both give the same layers: frozen, equal weights, equal settings.

        Weights that came with a saved pipeline may differ from those of their name, so they are
        compared. To compare two names nothing is read.
        """
        return (
            not self.trainable
            and not other.trainable
            and self.initial_state == other.initial_state
            and self.precision == other.precision
            and (self.name == other.name or None not in (self._model, other._model))
            and self.same_bilm(other)
        )

    def _read(self) -> BiLM:
        return shared_bilm(self.name)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Change the weights, if they are trained."""
        if self.trainable:
            super().finish_update(optimizer)
            self.bilm.forget_warm_states()

    @contextlib.contextmanager
    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        with super().use_params(params if self.trainable else {}):
            yield

    def copy(self) -> "BiLMShim":
        """Copy the shim: a frozen biLM is shared with the copy, a trained one is copied."""
        other = BiLMShim(self.name, self.initial_state, self.include_bilm, self.precision)
        other.trainable = self.trainable
        other.learn_rate_scale = self.learn_rate_scale
        other._came_along = self._came_along
        other._model = copy.deepcopy(self._model) if self.trainable else self._model
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> "BiLMShim":
        return self.copy()

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the weights, if they have been read."""
        if self._model is not None:
            super().to_device(device_type, device_id)

    @property
    def is_saved_by_name(self) -> bool:
        """Return whether the pipeline names the weights instead of holding them."""
        is_own = self.trainable or self._came_along or self.include_bilm
        return is_published(self.name) and not is_own

    def to_bytes(self) -> bytes:
        """Return the name and sha256 of published weights, the options and weights of others.

        Raises ValueError or OSError where weights were never read and cannot be read now.
        """
        if self.is_saved_by_name:
            sha256 = published_sha256(self.name)
            return srsly.msgpack_dumps({"name": self.name, "sha256": sha256})
        options = self.bilm.options.to_dict()
        return srsly.msgpack_dumps({"options": options, "weights": self.bilm.to_bytes()})

    def from_bytes(self, bytes_data: bytes) -> "BiLMShim":
        """Read what `to_bytes` returned.

        Raises ValueError if named weights are not those the pipeline was trained with.
        """
        message = srsly.msgpack_loads(bytes_data)
        self._came_along = "weights" in message
        if not self._came_along:
            name, expected = message["name"], message["sha256"]
            sha256 = published_sha256(name) if expected else None
            if sha256 != expected:
                earlier = packaged_name(expected)
                if earlier is None:
                    raise ValueError(Errors.EL102.format(name=name, found=sha256, wanted=expected))
                name = earlier
            self.name = name
            self._model = None
            return self
        # Pipes that were saved with the same weights share them again.
        bilm = shared_from_bytes(message["options"], message["weights"])
        self._model = _trainable_copy(bilm) if self.trainable else bilm
        return self


def _trainable_copy(bilm: BiLM) -> BiLM:
    with lasting():
        return copy.deepcopy(bilm).requires_grad_(True)
