"""Read CoNLL files, one word per line with its label last, and spaCy's IOB files.

Mr.     NNP  B-per                  Mr.|NNP|B-per Azhari|NNP|I-per smiled|VBD|O
Azhari  NNP  I-per                  ...
smiled  VBD  O
                (an empty line)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...errors import Errors, shown
from ..gmb import DOCUMENT_START
from .iob import UNKNOWN, Label, Scheme, entities, parse_label, scheme_of
from .texts import OwnText, Problem

# The content of a column of tags that a file does not use.
_NO_TAGS = {"_", "-", "-X-", "O", "X"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class _Sentence:
    """Holds the rows (line number, cells) of one sentence; each one's last cell is its label."""

    rows: list[tuple[int, list[str]]]
    labels: list[Label]
    document: int | None


def read_columns(path: Path, text: str, vocab: Vocab) -> list[OwnText]:
    """Return the sentences of a CoNLL or IOB file, one Doc each; spaces are unknown.

    Tags are read from the first column between word and label that holds neither chunks nor
    placeholders and numbers alone. Raises ValueError (EL653) naming the line that is neither.
    """
    sentences = list(_sentences(path, text))
    scheme = scheme_of(sentence.labels for sentence in sentences)
    column = _tag_column([cells for sentence in sentences for _, cells in sentence.rows])
    return [_own_text(path, sentence, scheme, column, vocab) for sentence in sentences]


def _own_text(
    path: Path, sentence: _Sentence, scheme: Scheme, tags: int | None, vocab: Vocab
) -> OwnText:
    lines, rows = zip(*sentence.rows, strict=True)
    doc = Doc(vocab, words=[cells[0] for cells in rows])
    if tags is not None:
        for token, cells in zip(doc, rows, strict=True):
            token.tag_ = cells[tags]
    spans, wrong = entities(sentence.labels, scheme)
    unknown = [doc[i : i + 1] for i, label in enumerate(sentence.labels) if label.prefix == UNKNOWN]
    doc.set_ents([Span(doc, *span) for span in spans], missing=unknown, default="outside")
    problems = [
        Problem("sequence", path, f"line {lines[i]}", _sequence(rows, i, scheme)) for i in wrong
    ]
    return OwnText(doc, path, f"line {lines[0]}", sentence.document, problems)


def _sequence(rows: Sequence[list[str]], i: int, scheme: Scheme) -> str:
    def label(at: int, none: str) -> str:
        return rows[at][-1] if 0 <= at < len(rows) else none

    before, after = label(i - 1, "nothing"), label(i + 1, "nothing")
    word = shown(rows[i][0])
    return f"{rows[i][-1]} of {word}, between {before} and {after}, is no valid {scheme.name}"


def _tag_column(rows: Sequence[Sequence[str]]) -> int | None:
    for column in range(1, len(rows[0]) - 1 if rows else 0):
        values = {cells[column] for cells in rows}
        is_chunks = all(parse_label(value) for value in values)
        if not is_chunks and not all(map(_is_no_tag, values)):
            return column
    return None


def _is_no_tag(value: str) -> bool:
    """Tell whether a column's content is no tag: a placeholder, or a probability as we write it."""
    return value in _NO_TAGS or _NUMBER.fullmatch(value) is not None


def _sentences(path: Path, text: str) -> Iterator[_Sentence]:
    # Not splitlines, which also breaks at characters that may be in a word.
    end = "\n" if "\n" in text else "\r"  # as old Macs ended lines
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split(end), 1)]
    first = next((line for _, line in lines if _is_data(line)), "")
    if "\t" not in first and first and all("|" in item for item in first.split()):
        yield from _one_per_line(path, lines)
    else:
        yield from _one_word_per_line(path, lines)


def _is_data(line: str) -> bool:
    is_comment = line == "#" or line.startswith("# ")
    return bool(line.strip()) and not is_comment and line.split(maxsplit=1)[0] != DOCUMENT_START


def _one_word_per_line(path: Path, lines: Sequence[tuple[int, str]]) -> Iterator[_Sentence]:
    rows: list[tuple[int, list[str]]] = []
    labels: list[Label] = []
    n_columns = len(_cells(next((line for _, line in lines if _is_data(line)), "")))
    document: int | None = None
    for number, line in [*lines, (0, "")]:
        cells = _cells(line)
        # The word "#" begins a line like a comment where columns are parted by spaces.
        is_hash = line.startswith("#") and n_columns == len(cells) and bool(parse_label(cells[-1]))
        if not _is_data(line) and not is_hash:
            if rows and not line.startswith("#"):
                yield _Sentence(rows, labels, document)
                rows, labels = [], []
            if cells and cells[0] == DOCUMENT_START:
                document = 1 if document is None else document + 1
            continue
        labels.append(_label(path, number, line, cells, n_columns))
        rows.append((number, [cell.strip() for cell in cells]))


def _cells(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _one_per_line(path: Path, lines: Sequence[tuple[int, str]]) -> Iterator[_Sentence]:
    n_columns = 0
    for number, line in lines:
        if not _is_data(line):
            continue
        rows: list[tuple[int, list[str]]] = []
        labels: list[Label] = []
        for item in line.split():
            # A word may hold the mark itself; the first one tells how many columns follow it.
            n_columns = n_columns or min(3, item.count("|") + 1)
            cells = item.rsplit("|", n_columns - 1)
            labels.append(_label(path, number, item, cells, n_columns))
            rows.append((number, cells))
        yield _Sentence(rows, labels, None)


def _label(path: Path, number: int, line: str, cells: list[str], n_columns: int) -> Label:
    """Return the label in the last cell, of a row that is as it should be."""
    place = {"path": path, "line": number}
    if len(cells) < 2:
        raise ValueError(Errors.EL653.format(**place, problem=f"{shown(line)} has one column"))
    if len(cells) != n_columns:
        problem = f"{shown(line)} has {len(cells)} columns, but those before have {n_columns}"
        raise ValueError(Errors.EL653.format(**place, problem=problem))
    if not all(cell.strip() for cell in cells):
        raise ValueError(Errors.EL653.format(**place, problem=f"{shown(line)} has an empty column"))
    label = parse_label(cells[-1].strip())
    if label is None:
        problem = f"{shown(cells[-1])} is no label"
        raise ValueError(Errors.EL653.format(**place, problem=problem))
    return label
