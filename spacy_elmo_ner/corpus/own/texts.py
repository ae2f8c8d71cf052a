"""Hold annotated texts of people's own files, each with the place where it was found."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ...errors import shown

_BLANKS = re.compile(r"\s")


class CharSpan(NamedTuple):
    """Describes an entity by characters of its text, the end exclusive."""

    start: int
    end: int
    label: str


class Problem(NamedTuple):
    """Describes something in a file that a person should check; the text is used anyway.

    kind: "span", "sequence", "duplicate" or "contradiction". place: such as "line 3".
    """

    kind: str
    path: Path
    place: str
    what: str


@dataclass(frozen=True)
class OwnText:
    """Holds one text as a Doc with entities and tags.

    place: where it begins in its file, such as "line 3". document: the number of its document in a
    file that marks where documents begin, otherwise None.
    """

    doc: Doc
    path: Path
    place: str
    document: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words without white space, by which equal texts are known in any format."""
        return tuple(token.text for token in self.doc if not token.is_space)

    @property
    def entities(self) -> list[tuple[int, int, str]]:
        """Return the entities as (start, end, label), in tokens."""
        return [(ent.start, ent.end, ent.label_) for ent in self.doc.ents]

    def with_labels(self, labels: set[str]) -> "OwnText":
        """Return the text with entities of these labels alone; words of others are in none."""
        doc = self.doc.copy()
        kept = [ent for ent in doc.ents if ent.label_ in labels]
        unknown = [doc[token.i : token.i + 1] for token in doc if _is_missing(doc, token.i)]
        doc.set_ents(kept, missing=unknown, default="outside")
        return replace(self, doc=doc)


def _is_missing(doc: Doc, i: int) -> bool:
    return not doc[i].ent_iob_


def set_entities(doc: Doc, spans: Iterable[CharSpan]) -> list[str]:
    """Set doc.ents to character spans; returns one sentence for each that is not used as it is.

    Of overlapping spans the longest is kept. Tokens of a span that does not fit them are left
    without annotation, so that nothing is learned from them.
    """
    problems: list[str] = []
    fitting: list[Span] = []
    torn: list[Span] = []
    for span in dict.fromkeys(spans):
        found = _tokens(doc, span, problems, torn)
        if found is not None:
            fitting.append(found)
    kept = filter_spans(fitting)
    for tokens in fitting:
        if tokens not in kept:
            other = next(one for one in kept if one.start < tokens.end and tokens.start < one.end)
            problems.append(f"{_named(tokens)} overlaps {_named(other)}, and is left out")
    taken = {i for span in kept for i in range(span.start, span.end)}
    unknown = {i for span in torn for i in range(span.start, span.end)} - taken
    doc.set_ents(kept, missing=[doc[i : i + 1] for i in sorted(unknown)], default="outside")
    return problems


def _tokens(doc: Doc, span: CharSpan, problems: list[str], torn: list[Span]) -> Span | None:
    """Return the tokens of a span; or None after adding to problems, and to torn where it cuts."""
    start, end, label = span
    if not 0 <= start < end <= len(doc.text):
        problems.append(
            f"{shown(label)} from {start} to {end} is no part of the text, which has "
            f"{len(doc.text)} characters"
        )
        return None
    while start < end and _BLANKS.match(doc.text[start]):
        start += 1
    while end > start and _BLANKS.match(doc.text[end - 1]):
        end -= 1
    if start == end:
        problems.append(f"{shown(label)} from {span.start} to {span.end} holds no word")
        return None
    tokens = doc.char_span(start, end, label=label)
    if tokens is None:
        cut = [token.i for token in doc if token.idx < end and token.idx + len(token) > start]
        around = doc[cut[0] : cut[-1] + 1]
        torn.append(around)
        problems.append(
            f"{shown(doc.text[start:end])} ({label}) from {start} to {end} does not fit the tokens "
            f"{_listed([token.text for token in around])}"
        )
    return tokens


def _named(span: Span) -> str:
    return f"{shown(span.text)} ({span.label_}) from {span.start_char} to {span.end_char}"


def _listed(words: Sequence[str]) -> str:
    more = ["..."] if len(words) > 5 else []
    return " ".join([*(repr(word) for word in words[:5]), *more])
