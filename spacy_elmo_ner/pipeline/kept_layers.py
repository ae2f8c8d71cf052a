"""Keep a Doc's layers in memory until every listener has read them."""

import weakref
from collections.abc import Sequence
from typing import Any

from spacy.tokens import Doc
from thinc.types import Floats3d

from ..layers.types import DocLayers


class Kept:
    """Holds a Doc's layers, its words, and the ids of the nodes that have read them."""

    __slots__ = ("layers", "read_by", "words")

    def __init__(self, words: bytes, layers: Floats3d) -> None:
        self.words = words
        self.layers = layers
        self.read_by: set[int] = set()


class KeptLayers(weakref.WeakKeyDictionary[Doc, Kept]):
    """Holds layers by Doc, no longer than the Doc lives; another process has other Docs."""

    def of(self, doc: Doc) -> Kept | None:
        """Return what is kept of a Doc, unless its tokens were merged or split since."""
        kept = self.get(doc)
        return kept if kept is not None and kept.words == word_hashes(doc) else None

    def keep(self, docs: Sequence[Doc], layers: DocLayers) -> list[Kept]:
        """Keep the layers of these Docs, which no node has read yet."""
        result = []
        for doc, doc_layers in zip(docs, layers, strict=True):
            kept = self[doc] = Kept(word_hashes(doc), doc_layers)
            result.append(kept)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptLayers, ()


def word_hashes(doc: Doc) -> bytes:
    """Return the words of a Doc as 8 bytes each: their hashes in the string store."""
    return doc.to_array("ORTH").tobytes()
