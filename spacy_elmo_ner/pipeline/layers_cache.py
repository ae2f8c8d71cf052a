"""Keep layers of a frozen biLM on disk while pipes train on the same Docs repeatedly."""

import os
import tempfile
import warnings
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..elmo.locks import Lock
from ..errors import Warnings
from .kept_layers import word_hashes

Layers = NDArray[np.float32]


class LayersCache:
    """Keep layers by a Doc's words, exactly as computed, in a file without a name.

    Such a file is gone when the process ends, however it ends. The system keeps its pages in
    memory while there is room.

    n_layers, width: of the biLM. max_bytes: what the file may hold; Docs beyond it are not kept.
    """

    def __init__(self, n_layers: int, width: int, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._shape = (n_layers, -1, width)
        self._places: dict[bytes, tuple[int, int]] = {}  # offset and size
        self._process = os.getpid()
        self._lock = Lock()
        # Unbuffered: what does not fit on the disk shows when it is written.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy an empty cache, also to another process."""
        return LayersCache, (self._shape[0], self._shape[2], self.max_bytes)

    def get(self, doc: Doc) -> Layers | None:
        """Return (n_layers, n_tokens, width), or None for words that are not kept."""
        place = self._places.get(_key(doc))
        if place is None or self._is_forked:
            return None
        offset, size = place
        data = bytearray(size)
        with self._lock:  # the file has one position for all threads
            if self._file.closed:
                return None
            self._file.seek(offset)
            self._file.readinto(data)
        return np.frombuffer(data, dtype=np.float32).reshape(self._shape)

    def put(self, docs: Sequence[Doc], layers: Sequence[Layers]) -> None:
        """Keep these layers as far as there is room; stop with a warning when the disk is full."""
        if self._is_forked:
            return
        for doc, doc_layers in zip(docs, layers, strict=True):
            with self._lock:
                is_full = not self._put(_key(doc), doc_layers)
            if is_full:
                warnings.warn(
                    Warnings.WL101.format(folder=tempfile.gettempdir(), n_bytes=self.n_bytes),
                    stacklevel=2,
                )
                return

    def _put(self, key: bytes, layers: Layers) -> bool:
        """Keep one Doc's layers, unless they are beyond the bound. Returns False on a full disk."""
        size = layers.nbytes
        if not size or key in self._places or self.n_bytes + size > self.max_bytes:
            return True
        if self._file.closed:
            return True
        try:
            self._file.seek(self.n_bytes)
            n_written = self._file.write(np.ascontiguousarray(layers).data)
        except OSError:
            n_written = 0
        if n_written != size:
            self.max_bytes = self.n_bytes
            return False
        self._places[key] = self.n_bytes, size
        self.n_bytes += size
        return True

    def close(self) -> None:
        """Free the disk space; from here on nothing is found or kept."""
        with self._lock:
            self._file.close()

    @property
    def _is_forked(self) -> bool:
        """Tell whether this process shares the file with the one that opened it."""
        return os.getpid() != self._process


def _key(doc: Doc) -> bytes:
    """Return a key of the words in the order in which the biLM reads them."""
    return blake2b(word_hashes(doc), digest_size=16).digest()
