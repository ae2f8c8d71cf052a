"""Wrap static word vectors as a Thinc layer: Docs in, a fixed vector per token out."""

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
    """Build Docs -> (n_tokens, width) float32 each: a static vector per word.

    A word is looked up as written, then in lower case; an unknown one gets zeros.

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
        looked_up = table.look_up(np.concatenate(keys)) if keys else np.zeros((0, 0), dtype="f")
        ends = np.cumsum([len(doc) for doc in docs]).tolist()
        vectors = [looked_up[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]
    return [
        model.ops.asarray2f(cast(Floats2d, doc_vectors)) for doc_vectors in vectors
    ], lambda d_vectors: []


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
    """Return a Doc's vectors in its own vocab. Raises ValueError for another width (EL118)."""
    width, vocab_has = model.get_dim("nO"), vocab_width(doc.vocab)
    if vocab_has != width:
        raise ValueError(Errors.EL118.format(width=width, found=vocab_has))
    return vocab_vectors(doc)


class VectorsShim(Shim):
    """Holds a table that is shared in memory, and saved by name if it is packaged."""

    def __init__(self, name: str | None, include_vectors: bool) -> None:
        super().__init__(None)
        self.name = name
        self.include_vectors = include_vectors
        self._came_along = False  # the table, with a saved pipeline; that of the name may differ

    @property
    def table(self) -> VectorTable:
        """Return the table, read at first use."""
        if self._model is None:
            self._model = shared_table(cast(str, self.name))
        return cast(VectorTable, self._model)

    @property
    def is_saved_by_name(self) -> bool:
        """Return whether the pipeline names the table instead of holding it."""
        is_own = self._came_along or self.include_vectors
        return self.name in packaged_names() and not is_own

    def finish_update(self, optimizer: Optimizer) -> None:
        """Do nothing: vectors do not learn."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """Do nothing: the table stays in main memory, and its vectors go to the device."""

    def copy(self) -> "VectorsShim":
        """Return a shim that shares the table."""
        other = VectorsShim(self.name, self.include_vectors)
        other._model = self._model
        other._came_along = self._came_along
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> "VectorsShim":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        """Send a packaged table to another process as its name."""
        return _shim_from_bytes, (self.include_vectors, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the name and sha256 of a packaged table, the content of any other."""
        if self.name is None:
            return srsly.msgpack_dumps({"name": None})
        if self.is_saved_by_name:
            return srsly.msgpack_dumps({"name": self.name, "sha256": packaged_sha256(self.name)})
        return srsly.msgpack_dumps({"name": self.name, "table": self.table.to_bytes()})

    def from_bytes(self, bytes_data: bytes) -> "VectorsShim":
        """Read `to_bytes`; raises ValueError if a named table is not the one trained with."""
        message = srsly.msgpack_loads(bytes_data)
        self.name = message["name"]
        self._came_along = "table" in message
        self._model = shared_from_bytes(message["table"]) if self._came_along else None
        if "sha256" in message:
            sha256, expected = packaged_sha256(self.name), message["sha256"]
            if sha256 != expected:
                raise ValueError(Errors.EL116.format(name=self.name, found=sha256, wanted=expected))
        return self


def _shim_from_bytes(include_vectors: bool, data: bytes) -> VectorsShim:
    return VectorsShim(None, include_vectors).from_bytes(data)
