"""Warn of text that a biLM would learn wrongly: markup, tables, and text not cut into words.

Both can be read without an error, and a run takes hours before its perplexity looks odd.
"""

import csv
import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from ..errors import Warnings, shown

# Lines at the start of a file that are checked.
_N_LINES = 200

_MARKUP = re.compile(r"<!doctype\b|<\?xml\b|<!--|</?[a-z][\w:.-]*(\s+[^<>]*)?/?>", re.IGNORECASE)
# Marks that corpora for language models hold in plain text.
_MARKS = re.compile(r"</?(s|unk|pad|eos|bos|num|sep|cls|mask|eot|endoftext)\s*/?>", re.I)
_JSON_LINE = re.compile(r'[\[\]{}]+,?|"[^"]*"\s*:.*|"([^"\\]|\\.)*",?|[\[{]\s*["\[{].*')
# A BIO label or a part-of-speech tag, as the last column has it.
_LABEL = re.compile(r"O|[BIESLU]-\S+|[A-Z]{2,6}\$?")
_DOCUMENT_START = re.compile(r"-DOCSTART-(\s|$)")
_NAME = re.compile(r"[\w #./-]{1,40}")

# Scripts written without spaces between words, with a language's code in spaCy, and the longest
# that words are on average where they are cut, in characters.
_HAN, _KANA = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff", "\u3040-\u30ff"


class _Script(NamedTuple):
    name: str
    language: str
    words: re.Pattern[str]
    longest_mean: float


_SCRIPTS = (
    _Script("Japanese", "ja", re.compile(f"[{_HAN}々]*[{_KANA}][{_HAN}{_KANA}々]*"), 4.0),
    _Script("Chinese", "zh", re.compile(f"[{_HAN}]+"), 3.0),
    _Script("Thai", "th", re.compile("[\u0e00-\u0e7f]+"), 8.0),
    _Script("Lao", "lo", re.compile("[\u0e80-\u0eff]+"), 8.0),
    _Script("Khmer", "km", re.compile("[\u1780-\u17ff]+"), 10.0),
    _Script("Burmese", "my", re.compile("[\u1000-\u109f]+"), 10.0),
    _Script("Tibetan", "bo", re.compile("[\u0f00-\u0fff]+"), 12.0),
)
# Share of the characters; less is names and quotations in a text of another language.
_LEAST_SHARE = 0.05

Line = tuple[int, str]


def with_warning_of_structure(path: Path, lines: Iterator[Line]) -> Iterator[str]:
    """Yield the lines as they are, and warn (WL403) if the first ones are not plain text.

    lines: (number, text) of those that are not blank.
    """
    first = list(islice(lines, _N_LINES))
    if structure := structure_of([line for _, line in first]):
        kind, row = structure
        number, line = first[row]
        warnings.warn(
            Warnings.WL403.format(path=path, kind=kind, line=number, value=shown(line)),
            stacklevel=2,
        )
    yield from (line for _, line in chain(first, lines))


def structure_of(lines: Sequence[str]) -> tuple[str, int] | None:
    """Return what lines are instead of plain text, and the index of one that shows it.

    lines: not blank, in order. None for plain text, and for too few lines to tell.
    """
    checks: tuple[tuple[str, Callable[[Sequence[str]], int | None]], ...] = (
        ("JSON", _json_line),
        ("HTML or XML", _markup_line),
        ("CoNLL", _conll_line),
        ("a table (CSV or TSV)", _table_line),
        ("a list of words", _word_list_line),
    )
    for kind, check in checks:
        if (row := check(lines)) is not None:
            return kind, row
    return None


def _json_line(lines: Sequence[str]) -> int | None:
    rows = [row for row, line in enumerate(lines) if _JSON_LINE.fullmatch(line)]
    if not rows or lines[0][0] not in "[{":
        return None
    if 2 * len(rows) > len(lines):
        return rows[0]
    try:  # one value that begins and ends within these lines
        value = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    return rows[0] if isinstance(value, list | dict) else None


def _markup_line(lines: Sequence[str]) -> int | None:
    without_marks = [_MARKS.sub("", line) if "<" in line else line for line in lines]
    rows = [row for row, line in enumerate(without_marks) if _MARKUP.search(line)]
    return rows[0] if rows and (rows[0] == 0 or 5 * len(rows) > len(lines)) else None


def _conll_line(lines: Sequence[str]) -> int | None:
    """Recognize one word per line, followed by its annotation in columns."""
    start = next((row for row, line in enumerate(lines) if _DOCUMENT_START.match(line)), None)
    if start is not None:
        return start
    rows = [(row, line) for row, line in enumerate(lines) if not _is_comment(line)]
    labelled = [
        row
        for row, line in rows
        if 1 < len(cells := line.split()) < 15 and _LABEL.fullmatch(cells[-1])
    ]
    if len(labelled) >= 3 and 10 * len(labelled) > 7 * len(rows):
        return labelled[0]
    columns = [
        row
        for row, line in rows
        if len(cells := line.split("\t")) > 2 and not any(" " in cell for cell in cells)
    ]
    if len(columns) >= 3 and 10 * len(columns) > 9 * len(rows):
        return columns[0]
    return None


def _is_comment(line: str) -> bool:
    return line == "#" or line.startswith("# ")


def _table_line(lines: Sequence[str]) -> int | None:
    """Recognize rows of equally many cells; in prose a space follows a comma."""
    if len(lines) < 3:
        return None
    for delimiter in "\t,;|":
        n_lines = sum(delimiter in line for line in lines)
        if 2 * n_lines < len(lines):
            continue
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        n_cells = len(rows[0])
        alike = [row for row in rows if len(row) == n_cells]
        if n_cells < 2 or len(rows) < 3 or 10 * len(alike) < 9 * len(rows):
            continue
        spaced = sum(cell.startswith(" ") for row in alike for cell in row[1:])
        if 10 * spaced > sum(len(row) - 1 for row in alike):
            continue
        # Two cells are also a thousand's comma, unless the first row names the columns.
        if n_cells > 2 or delimiter == "\t" or all(map(_NAME.fullmatch, rows[0])):
            return 0
    return None


def _word_list_line(lines: Sequence[str]) -> int | None:
    single = [row for row, line in enumerate(lines) if len(line.split()) == 1]
    if len(lines) < 20 or 10 * len(single) < 9 * len(lines):
        return None
    # A line without spaces is a sentence in some scripts: see `unsegmented`.
    text = "".join(lines)
    return None if any(script.words.search(text) for script in _SCRIPTS) else single[0]


class Unsegmented(NamedTuple):
    """Describes text of one script that is not cut into words, by the most frequent long one."""

    script: str
    language: str
    word: str


def unsegmented(words: Iterable[tuple[str, int]]) -> list[Unsegmented]:
    """Find the scripts whose words are longer on average than words of that script are.

    words: distinct words with their counts, the most frequent first.
    """
    n_all = 0
    n_words, n_characters = [0] * len(_SCRIPTS), [0] * len(_SCRIPTS)
    examples = [""] * len(_SCRIPTS)
    for word, count in words:
        n_all += len(word) * count
        if word.isascii():
            continue
        script_and_length = _script_in(word)
        if script_and_length is None:
            continue
        index, length = script_and_length
        n_words[index] += count
        n_characters[index] += length * count
        if length > _SCRIPTS[index].longest_mean and not examples[index]:
            examples[index] = word
    return [
        Unsegmented(script.name, script.language, examples[index])
        for index, script in enumerate(_SCRIPTS)
        if n_characters[index] > max(_LEAST_SHARE * n_all, script.longest_mean * n_words[index])
    ]


def _script_in(word: str) -> tuple[int, int] | None:
    """Return the index of the script a word is in, and its characters of it."""
    for index, script in enumerate(_SCRIPTS):
        if matches := script.words.findall(word):
            return index, sum(map(len, matches))
    return None
