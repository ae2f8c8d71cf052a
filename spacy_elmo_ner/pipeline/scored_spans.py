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

    Each entry also follows its span when spans are added, replaced or deleted. A span that a user
    sets has no entry: NaN in an array, None in a list.
    """

    def __init__(
        self, doc: Doc, *, name: str = "", attrs: Any = (), spans: Iterable[Span] = ()
    ) -> None:
        super().__init__(doc, name=name, attrs=dict(attrs), spans=list(spans))
        self._tokens = _tokens(doc)
        self._n_rows = super().__len__()  # spans that have entries

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

    def __setitem__(self, i: int, span: Span) -> None:
        self._follow()
        cast(Any, super()).__setitem__(i, span)  # spaCy's stubs lack it
        rows = list(range(self._n_rows))
        rows[i] = -1
        self._keep(rows)

    def __delitem__(self, i: int) -> None:
        self._follow()
        spans = _unpacked(super().to_bytes())
        rows = list(range(self._n_rows))
        del rows[i]
        # spaCy's own deletes the span before this one, and for the first one memory of others.
        self._keep(rows)
        self._set_spans([spans[row] for row in rows])

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
        self._n_rows = super().__len__()
        return self

    def _keep(self, rows: list[int]) -> None:
        """Select these entries of each column; -1 stands for none."""
        for key, value in self._attrs.items():
            if _is_column(value, self._n_rows):
                self._attrs[key] = _taken(value, rows)
        self._n_rows = len(rows)

    def _follow(self) -> None:
        n_added = super().__len__() - self._n_rows
        if n_added:  # append(), extend() and += only add at the end
            self._keep([*range(self._n_rows), *[-1] * n_added])
        doc = cast(Any, self)._doc_ref()
        tokens = self._tokens if doc is None else _tokens(doc)
        if np.array_equal(tokens, self._tokens):
            return
        first, last = token_bounds(doc)
        spans = _unpacked(super().to_bytes())
        kept = [
            i for i, span in enumerate(spans) if span.start_char in first and span.end_char in last
        ]
        self._keep(kept)
        self._tokens = tokens
        self._set_spans(
            span._replace(start=first[span.start_char], end=last[span.end_char])
            for span in (spans[i] for i in kept)
        )

    def _set_spans(self, spans: Iterable[StoredSpan]) -> None:
        message = {
            "name": self.name,
            "attrs": self._attrs,
            "spans": [_SPAN.pack(*span) for span in spans],
        }
        super().from_bytes(srsly.msgpack_dumps(message))


def _unpacked(group: bytes) -> list[StoredSpan]:
    return [StoredSpan(*_SPAN.unpack(span)) for span in srsly.msgpack_loads(group)["spans"]]


def _tokens(doc: Doc) -> Any:
    """Return an array that changes when tokens are merged or split."""
    return doc.to_array("ORTH")


def _is_column(value: Any, n_rows: int) -> bool:
    """Return whether a value of attrs has one entry per span."""
    is_array = isinstance(value, np.ndarray) and value.shape[:1] == (n_rows,)
    return is_array or (isinstance(value, list) and len(value) == n_rows)


def _taken(column: Any, rows: list[int]) -> Any:
    """Select these entries; -1 stands for none."""
    if isinstance(column, list):
        return [None if row < 0 else column[row] for row in rows]
    if -1 not in rows:
        return column[rows]
    # Other kinds of numbers cannot be NaN, and texts are no numbers.
    if column.dtype.kind not in "fiub":
        column = column.astype(object)
    taken = np.full((len(rows), *column.shape[1:]), np.nan, np.result_type(column, np.float16))
    known = np.asarray(rows) >= 0
    taken[known] = column[np.asarray(rows)[known]]
    return taken


def token_bounds(doc: Doc) -> tuple[dict[int, int], dict[int, int]]:
    """Map start characters to token numbers, and end characters to the number of the next token."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for token in doc:
        first.setdefault(token.idx, token.i)
        last[token.idx + len(token)] = token.i + 1
    return first, last
