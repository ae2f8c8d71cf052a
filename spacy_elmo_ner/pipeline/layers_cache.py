"""Layers of a frozen biLM, kept on disk while pipes train on the same Docs again and again."""

import os
import tempfile
import warnings
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..errors import Warnings

Layers = NDArray[np.float32]


class LayersCache:
    """Layers by a Doc's words, exactly as computed, in a file that has no name.

    A file without a name is gone when the process ends, however it ends. Its pages are the
    system's to keep in memory where there is room.

    n_layers, width: of the biLM. max_bytes: what the file may hold; Docs beyond it are not kept.
    """

    def __init__(self, n_layers: int, width: int, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._shape = (n_layers, -1, width)
        self._places: dict[bytes, tuple[int, int]] = {}  # offset and size
        self._process = os.getpid()
        # Unbuffered: what does not fit on the disk shows when it is written.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied, also into another process, a cache is empty."""
        return LayersCache, (self._shape[0], self._shape[2], self.max_bytes)

    def get(self, doc: Doc) -> Layers | None:
        """(n_layers, n_tokens, width), or None for words that are not kept."""
        place = self._places.get(_key(doc))
        if place is None or self._is_forked:
            return None
        offset, size = place
        data = bytearray(size)
        self._file.seek(offset)
        self._file.readinto(data)
        return np.frombuffer(data, dtype=np.float32).reshape(self._shape)

    def put(self, docs: Sequence[Doc], layers: Sequence[Layers]) -> None:
        """Keep these layers, as far as there is room; a full disk ends it with a warning."""
        if self._is_forked:
            return
        for doc, one in zip(docs, layers, strict=True):
            key = _key(doc)
            if not one.size or key in self._places or self.n_bytes + one.nbytes > self.max_bytes:
                continue
            try:
                self._file.seek(self.n_bytes)
                n_written = self._file.write(np.ascontiguousarray(one).data)
            except OSError:
                n_written = 0
            if n_written != one.nbytes:
                self.max_bytes = self.n_bytes
                warnings.warn(
                    Warnings.WL101.format(folder=tempfile.gettempdir(), n_bytes=self.n_bytes),
                    stacklevel=2,
                )
                return
            self._places[key] = self.n_bytes, one.nbytes
            self.n_bytes += one.nbytes

    def close(self) -> None:
        self._file.close()

    @property
    def _is_forked(self) -> bool:
        """Is this another process, that shares the file and its position with the one that
        opened it?"""
        return os.getpid() != self._process


def _key(doc: Doc) -> bytes:
    """Of the words, in the order and number that the biLM reads them."""
    # A word may hold any character; its hash in the string store stands for it.
    return blake2b(doc.to_array("ORTH").tobytes(), digest_size=16).digest()
