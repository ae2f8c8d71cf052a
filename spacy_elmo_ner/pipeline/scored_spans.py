"""Keep a span group correct when tokens are merged or split."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import srsly
from spacy.tokens import Doc, Span, SpanGroup

# What SpanGroup.to_bytes writes for each span: id, kb_id, label, then start, end, start_char and
# end_char.
_SPAN = struct.Struct(">QQQllll")

_ATTRS: Any = SpanGroup.attrs  # the group's own, which a subclass hides


class StoredSpan(NamedTuple):
    """Holds a span as a SpanGroup stores it; start and end may be out of date."""

    id: int
    kb_id: int
    label: int
    start: int
    end: int
    start_char: int
    end_char: int


def stored_spans(group: SpanGroup) -> list[StoredSpan]:
    """Read the spans of a group without access to tokens, which may have changed."""
    return _unpacked(SpanGroup.to_bytes(group))


class ScoredSpans(SpanGroup):
    """Holds spans that follow their Doc's tokens.

    spaCy's own group stores token numbers: once tokens are merged, reading, copying or storing it
    gives other spans or raises an IndexError. This one finds its spans again by their characters.
    A span whose ends are no longer token boundaries is dropped, with its entries in ``attrs``.
    """

    def __init__(
        self, doc: Doc, *, name: str = "", attrs: Any = (), spans: Iterable[Span] = ()
    ) -> None:
        super().__init__(doc, name=name, attrs=dict(attrs), spans=list(spans))
        self._tokens = _tokens(doc)

    @property
    def attrs(self) -> dict[str, Any]:
        self._follow()
        return self._attrs

    @attrs.setter
    def attrs(self, value: dict[str, Any]) -> None:
        _ATTRS.__set__(self, value)

    @property
    def _attrs(self) -> dict[str, Any]:
        return _ATTRS.__get__(self)

    def __len__(self) -> int:
        self._follow()
        return super().__len__()

    def __getitem__(self, i: int) -> Span:
        self._follow()
        return super().__getitem__(i)

    def __iter__(self) -> Iterator[Span]:
        self._follow()
        for i in range(super().__len__()):
            yield super().__getitem__(i)

    def copy(self, doc: Doc | None = None) -> "ScoredSpans":
        self._follow()
        plain = super().copy(doc)
        return ScoredSpans(plain.doc, name=plain.name, attrs=plain.attrs, spans=list(plain))

    def to_bytes(self) -> bytes:
        self._follow()
        return super().to_bytes()

    def from_bytes(self, bytes_data: bytes) -> "ScoredSpans":
        super().from_bytes(bytes_data)
        self._tokens = _tokens(self.doc)
        return self

    def _follow(self) -> None:
        doc = cast(Any, self)._doc_ref()
        tokens = self._tokens if doc is None else _tokens(doc)
        if np.array_equal(tokens, self._tokens):
            return
        first, last = token_bounds(doc)
        spans = _unpacked(super().to_bytes())
        kept = [
            i for i, span in enumerate(spans) if span.start_char in first and span.end_char in last
        ]
        message = {
            "name": self.name,
            "attrs": {key: _taken(value, kept, len(spans)) for key, value in self._attrs.items()},
            "spans": [
                _SPAN.pack(*span[:3], first[span.start_char], last[span.end_char], *span[5:])
                for span in (spans[i] for i in kept)
            ],
        }
        self._tokens = tokens  # first: what follows reads this group
        super().from_bytes(srsly.msgpack_dumps(message))


def _unpacked(group: bytes) -> list[StoredSpan]:
    return [StoredSpan(*_SPAN.unpack(span)) for span in srsly.msgpack_loads(group)["spans"]]


def _tokens(doc: Doc) -> Any:
    """Return an array that changes when tokens are merged or split."""
    return doc.to_array("ORTH")


def _taken(value: Any, rows: list[int], n_rows: int) -> Any:
    """Select these rows if value has one entry per span; return any other value unchanged."""
    if isinstance(value, np.ndarray) and value.shape[:1] == (n_rows,):
        return value[rows]
    if isinstance(value, list) and len(value) == n_rows:
        return [value[row] for row in rows]
    return value


def token_bounds(doc: Doc) -> tuple[dict[int, int], dict[int, int]]:
    """Map start characters to token numbers, and end characters to the number of the next token."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for token in doc:
        first.setdefault(token.idx, token.i)
        last[token.idx + len(token)] = token.i + 1
    return first, last
