"""Static word vectors as a Thinc layer: Docs in, a fixed vector per token out."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model, Optimizer
from thinc.shims import Shim
from thinc.types import Floats2d

from ..errors import Errors
from ..vectors.shared import (
    packaged_names,
    packaged_sha256,
    shared_from_bytes,
    shared_table,
    table_width,
)
from ..vectors.spacy_vectors import vocab_vectors, vocab_width, word_keys
from ..vectors.table import VectorTable
from .types import Tok2VecModel


def build_word_vectors_v1(
    name: str | None = "glove-en", include_vectors: bool = False
) -> Tok2VecModel:
    """Build Docs -> (n_tokens, width) float32 each: the vector of the word as written, else of the
    word in lower case, else zeros.

    name: a packaged table, "glove-en"; a folder that `python -m spacy elmo vectors` wrote; a
        folder or an installed pipeline with spaCy's vectors; or null for those of nlp.vocab.
        They are read at first use and shared by all who name them; they do not learn.
    include_vectors: save a packaged table with the pipeline. By default it is saved as name and
        sha256; other tables are always saved, and nlp.vocab saves its own.
    Raises ValueError for a file that is no table (EL050).
    """
    return Model(
        "word_vectors",
        forward,
        init=init,
        dims={"nO": None if name is None else table_width(name)},
        shims=[VectorsShim(name, include_vectors)],
    )


def forward(
    model: Tok2VecModel, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    shim = cast(VectorsShim, model.shims[0])
    if shim.name is None:
        vectors = [_of_vocab(model, doc) for doc in docs]
    else:
        table = shim.table
        keys = [word_keys(doc, table.attr) for doc in docs]
        found = table.look_up(np.concatenate(keys)) if keys else np.zeros((0, 0), dtype="f")
        ends = np.cumsum([len(doc) for doc in docs]).tolist()
        vectors = [found[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]
    return [model.ops.asarray2f(cast(Floats2d, one)) for one in vectors], lambda d_vectors: []


def init(model: Tok2VecModel, X: Sequence[Doc] | None = None, Y: Any = None) -> None:
    """Read the table, so that a missing one is an error before training and not during it."""
    shim = cast(VectorsShim, model.shims[0])
    if shim.name is not None:
        model.set_dim("nO", shim.table.width)
    elif X:
        width = vocab_width(X[0].vocab)
        if not width:
            raise ValueError(Errors.EL117)
        model.set_dim("nO", width)


def _of_vocab(model: Tok2VecModel, doc: Doc) -> NDArray[np.float32]:
    """A Doc's vectors in its own vocab. Raises ValueError for those of another width (EL118)."""
    width, found = model.get_dim("nO"), vocab_width(doc.vocab)
    if found != width:
        raise ValueError(Errors.EL118.format(width=width, found=found))
    return vocab_vectors(doc)


class VectorsShim(Shim):
    """A table that is shared in memory and saved by name where that says it all."""

    def __init__(self, name: str | None, include_vectors: bool) -> None:
        super().__init__(None)
        self.name = name
        self.include_vectors = include_vectors

    @property
    def table(self) -> VectorTable:
        if self._model is None:
            self._model = shared_table(cast(str, self.name))
        return cast(VectorTable, self._model)

    @property
    def is_saved_by_name(self) -> bool:
        return self.name in packaged_names() and not self.include_vectors

    def finish_update(self, optimizer: Optimizer) -> None:
        """Nothing here learns."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """The table stays in main memory; its vectors go to the device."""

    def copy(self) -> "VectorsShim":
        other = VectorsShim(self.name, self.include_vectors)
        other._model = self._model
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> "VectorsShim":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process a packaged table goes as its name."""
        return _shim_from_bytes, (self.include_vectors, self.to_bytes())

    def to_bytes(self) -> bytes:
        if self.name is None:
            return srsly.msgpack_dumps({"name": None})
        if self.is_saved_by_name:
            return srsly.msgpack_dumps({"name": self.name, "sha256": packaged_sha256(self.name)})
        return srsly.msgpack_dumps({"name": self.name, "table": self.table.to_bytes()})

    def from_bytes(self, bytes_data: bytes) -> "VectorsShim":
        """Raises ValueError if a named table is not the one the pipeline was trained with."""
        message = srsly.msgpack_loads(bytes_data)
        self.name = message["name"]
        self._model = shared_from_bytes(message["table"]) if "table" in message else None
        if "sha256" in message:
            found, wanted = packaged_sha256(self.name), message["sha256"]
            if found != wanted:
                raise ValueError(Errors.EL116.format(name=self.name, found=found, wanted=wanted))
        return self


def _shim_from_bytes(include_vectors: bool, data: bytes) -> VectorsShim:
    return VectorsShim(None, include_vectors).from_bytes(data)
