"""Find the files to annotate, and read their texts one after the other.

A text that cannot be read is a `Text` with an error; what follows it is read on. Damage after which
nothing can be read, and a table without the column asked for, raise ValueError.
"""

import csv
import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from spacy.vocab import Vocab

from ..corpus.docbin import docs_in
from ..corpus.text_files import (
    DAMAGE,
    PACKED,
    bytes_read,
    decoded,
    files_below,
    is_packed,
    kind_of,
    open_bytes,
)
from ..errors import Errors, Warnings, shown
from .texts import Text

KINDS = (".txt", ".jsonl", ".csv", ".tsv", ".parquet", ".spacy")
SUFFIXES = (*KINDS, *PACKED)
STANDARD_INPUT = "-"

# No text is longer than this; a pipeline's max_length is a million characters unless it is changed.
LONGEST_TEXT = 1 << 24
# NUL is text to spaCy; these are not: bytes that are not UTF-8, halves of characters in JSON.
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_UNPACKABLE = (".parquet", ".spacy")
_PARQUET_ROWS = 1_024
_DELIMITERS = ",;\t|"
_MOST_NAMES = 5

# A text with the bytes of its file read so far.
Reading = Iterator[tuple[Text, int]]


@dataclass(frozen=True)
class InputFile:
    """Describes a file as it was named, by its size in bytes and what kind it is (".txt")."""

    name: str
    kind: str
    n_bytes: int


@dataclass(frozen=True)
class Fields:
    """Says how texts are found in files.

    text, id: columns of tables and keys of JSON objects. whole_files: each .txt file is one text;
    otherwise each of its lines is.
    """

    text: str = "text"
    id: str = "id"
    whole_files: bool = False


def find_inputs(
    names: Iterable[str], kind: str | None = None, not_below: Path | None = None
) -> list[InputFile]:
    """Return the files of these names and of all folders among them, in order of name.

    kind: what every file holds (".jsonl"); by default each file's suffix says it, and standard
    input is plain text. not_below: a folder that is not read, such as the output's. Warns (WL601)
    of files in folders that are left out.
    Raises FileNotFoundError (EL600); ValueError for a file of another kind (EL601), a folder
    without texts (EL602) and a packed file of a kind that is packed already (EL603).
    """
    found = []
    for name in names:
        path = Path(name)
        if name == STANDARD_INPUT:
            found.append(InputFile(name, kind or ".txt", 0))
        elif path.is_dir():
            found += [_input(file, kind) for file in _in_folder(path, kind, not_below)]
        elif not path.exists():
            raise FileNotFoundError(Errors.EL600.format(path=name))
        else:
            found.append(_input(path, kind))
    return found


def _in_folder(folder: Path, kind: str | None, not_below: Path | None) -> list[Path]:
    out = not_below.resolve() if not_below is not None else None
    below = [
        path
        for path in sorted(files_below(folder))
        if not path.name.startswith(".") and (out is None or out not in path.resolve().parents)
    ]
    read = [path for path in below if kind is not None or kind_of(path) in KINDS]
    if not read:
        raise ValueError(Errors.EL602.format(path=folder, suffixes=", ".join(SUFFIXES)))
    if left := [str(path.relative_to(folder)) for path in below if path not in set(read)]:
        names = ", ".join(left[:_MOST_NAMES])
        if len(left) > _MOST_NAMES:
            names += f" and {len(left) - _MOST_NAMES:,} more"
        message = Warnings.WL601.format(folder=folder, n=len(left), names=names)
        warnings.warn(message, stacklevel=3)
    return read


def _input(path: Path, kind: str | None) -> InputFile:
    kind = kind or kind_of(path)
    if kind not in KINDS:
        raise ValueError(Errors.EL601.format(path=path, suffixes=", ".join(SUFFIXES)))
    if kind in _UNPACKABLE and is_packed(path):
        raise ValueError(Errors.EL603.format(path=path, kind=kind))
    return InputFile(path.as_posix(), kind, path.stat().st_size)


def read_inputs(files: Iterable[InputFile], fields: Fields) -> Reading:
    """Yield every text with the number of bytes read so far, of all files together.

    Raises ValueError for a damaged file (EL604) and a table without the column (EL605),
    ModuleNotFoundError for parquet without pyarrow (EL606).
    """
    before = 0
    for file in files:
        for text, position in _READERS[file.kind](file, fields):
            yield text, before + position
        before += file.n_bytes


# ---- kinds of files ----------------------------------------------------------------------


def _plain(file: InputFile, fields: Fields) -> Reading:
    with _open(file) as stream:
        if fields.whole_files:
            content = _guarded(file, 1, lambda: stream.read(LONGEST_TEXT + 1))
            if content and not content.isspace():
                is_long = len(content) > LONGEST_TEXT
                yield _text(file.name, None if is_long else content), _position(stream)
            return
        for number, line in _lines(file, stream):
            yield _text(f"{_shown_name(file)}:{number}", line), _position(stream)


def _json_lines(file: InputFile, fields: Fields) -> Reading:
    with _open(file) as stream:
        for number, line in _lines(file, stream):
            place = f"{_shown_name(file)}:{number}"
            if line is None or _NOT_TEXT.search(line):
                yield _text(place, line), _position(stream)
            else:
                yield _json_text(place, line, fields), _position(stream)


def _json_text(place: str, line: str, fields: Fields) -> Text:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Text(place, None, error=Errors.EL608.format(field=fields.text, problem=error))
    if not isinstance(value, dict) or not isinstance(value.get(fields.text), str):
        problem = f"it is {shown(value)}"
        return Text(place, None, error=Errors.EL608.format(field=fields.text, problem=problem))
    return _text(_id(value.get(fields.id), place), value[fields.text])


def _table(file: InputFile, fields: Fields) -> Reading:
    csv.field_size_limit(LONGEST_TEXT)
    with _open(file, newline="") as stream:
        header = _guarded(file, 1, lambda: stream.readline(LONGEST_TEXT))
        names, delimiter = _columns(header, fields.text)
        if fields.text not in names:
            raise ValueError(
                Errors.EL605.format(path=file.name, field=fields.text, columns=", ".join(names))
            )
        rows = csv.reader(stream, delimiter=delimiter, strict=True)
        of_text = names.index(fields.text)
        of_id = names.index(fields.id) if fields.id in names else None
        number = 0
        while (row := _guarded(file, rows.line_num + 2, lambda: next(rows, None))) is not None:
            number += 1
            place = f"{_shown_name(file)}:{number}"
            if not row:
                continue  # a blank line
            if len(row) != len(names):
                error = Errors.EL609.format(found=len(row), expected=len(names))
                yield Text(place, None, error=error), _position(stream)
                continue
            given = None if of_id is None else row[of_id]
            yield _text(_id(given, place), row[of_text]), _position(stream)


def _columns(header: str, text: str) -> tuple[list[str], str]:
    """Return the names of the columns and the delimiter that gives one named ``text``."""
    readings = [(next(csv.reader([header], delimiter=sign), []), sign) for sign in _DELIMITERS]
    stripped = [([name.strip() for name in names], sign) for names, sign in readings]
    return next(
        (reading for reading in stripped if text in reading[0]),
        max(stripped, key=lambda reading: len(reading[0])),
    )


def _parquet(file: InputFile, fields: Fields) -> Reading:
    # Before pyarrow is asked for: installing it would not help.
    if file.name == STANDARD_INPUT:
        raise ValueError(Errors.EL607.format(kind=file.kind))
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(Errors.EL606.format(what="reading")) from error
    try:
        table = ParquetFile(file.name)
        names = table.schema_arrow.names
        if fields.text not in names:
            raise ValueError(
                Errors.EL605.format(path=file.name, field=fields.text, columns=", ".join(names))
            )
        columns = [name for name in dict.fromkeys((fields.text, fields.id)) if name in names]
        n_rows, number = max(1, table.metadata.num_rows), 0
        for batch in table.iter_batches(batch_size=_PARQUET_ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                place = f"{file.name}:{number}"
                given, text = row.get(fields.id), row[fields.text]
                position = file.n_bytes * number // n_rows
                if isinstance(text, str):
                    yield _text(_id(given, place), text), position
                else:
                    problem = Errors.EL608.format(field=fields.text, problem=f"it is {shown(text)}")
                    yield Text(_id(given, place), None, error=problem), position
    except (ArrowException, OSError) as error:
        problem = str(error).partition("\n")[0]
        raise ValueError(Errors.EL604.format(path=file.name, line=1, problem=problem)) from error


def _docs(file: InputFile, fields: Fields) -> Reading:
    if file.name == STANDARD_INPUT:
        raise ValueError(Errors.EL607.format(kind=file.kind))
    for number, doc in enumerate(docs_in(Path(file.name), Vocab()), start=1):
        words = [token.text for token in doc]
        known = not doc.has_unknown_spaces
        spaces = [bool(token.whitespace_) for token in doc] if known else None
        given = _id(doc.user_data.get(fields.id), f"{file.name}:{number}")
        yield Text(given, doc.text, words, spaces), file.n_bytes
    # A DocBin is read as a whole, so its bytes are read when its first Doc is there.


_READERS: dict[str, Callable[[InputFile, Fields], Reading]] = {
    ".txt": _plain,
    ".jsonl": _json_lines,
    ".csv": _table,
    ".tsv": _table,
    ".parquet": _parquet,
    ".spacy": _docs,
}


# ---- lines -------------------------------------------------------------------------------


def _open(file: InputFile, newline: str | None = None) -> IO[str]:
    if file.name != STANDARD_INPUT:
        return _guarded(file, 1, lambda: decoded(open_bytes(Path(file.name)), newline))
    raw = io.FileIO(sys.stdin.fileno(), closefd=False)
    return decoded(io.BufferedReader(raw), newline)


def _position(stream: IO[str]) -> int:
    raw: Any = stream.buffer.raw  # type: ignore[attr-defined]
    return bytes_read(stream) if not isinstance(raw, io.FileIO) or raw.seekable() else 0


def _shown_name(file: InputFile) -> str:
    return "stdin" if file.name == STANDARD_INPUT else file.name


def _lines(file: InputFile, stream: IO[str]) -> Iterator[tuple[int, str | None]]:
    """Yield line numbers from 1 and the lines that are not blank; None for one too long."""
    number = 0
    while line := _guarded(file, number + 1, lambda: stream.readline(LONGEST_TEXT + 1)):
        number += 1
        if len(line) > LONGEST_TEXT and not line.endswith("\n"):
            # Read on to its end, never more of it in memory than one longest text.
            while line and not line.endswith("\n"):
                line = _guarded(file, number, lambda: stream.readline(LONGEST_TEXT))
            yield number, None
        elif (line := line.rstrip("\r\n")) and not line.isspace():
            yield number, line


def _guarded(file: InputFile, line: int, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (*DAMAGE, csv.Error) as error:
        raise ValueError(
            Errors.EL604.format(path=_shown_name(file), line=line, problem=error)
        ) from error


def _text(place: str, text: str | None) -> Text:
    """Return a text, or why it is none."""
    if text is None or len(text) > LONGEST_TEXT:
        return Text(place, None, error=Errors.EL610.format(limit=LONGEST_TEXT))
    if found := _NOT_TEXT.search(text):
        code = ord(found[0])
        is_byte = 0xDC80 <= code <= 0xDCFF
        problem = f"byte 0x{code & 0xFF:02x}" if is_byte else f"U+{code:04X}"
        return Text(place, None, error=Errors.EL611.format(problem=problem, place=found.start()))
    return Text(place, text)


def _id(given: object, place: str) -> str:
    """Return an id as text; its place in the input where none is given."""
    if given is None or given == "":
        return place
    return str(given).encode("utf-8", "replace").decode()
