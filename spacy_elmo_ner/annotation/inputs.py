"""Read the texts of files one after the other.

A text that cannot be read is a `Text` with an error; what follows it is read on. Damage after which
nothing can be read, and a table without the column asked for, raise ValueError.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from spacy.vocab import Vocab

from ..corpus.docbin import docs_in
from ..corpus.text_files import DAMAGE, bytes_read, decoded, open_bytes
from ..errors import Errors, shown
from .input_files import STANDARD_INPUT, InputFile
from .texts import Text

# No text is longer than this; a pipeline's max_length is a million characters unless it is changed.
LONGEST_TEXT = 1 << 24
# NUL is text to spaCy; these are not: bytes that are not UTF-8, halves of characters in JSON.
_NOT_TEXT = re.compile("[\ud800-\udfff]")
# How files begin that must be unpacked before they are text.
_PACKED_BYTES = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh[1-9]1AY&SY"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zip": re.compile(rb"PK\x03\x04"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
}
_PARQUET_ROWS = 1_024
# Read at one time of a column, of which a group of rows may hold gigabytes.
_PARQUET_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_DELIMITERS_OF = {".tsv": "\t,;|"}  # by kind, the likeliest first
_LONGEST_HEADER = 1 << 16
# What csv says where the rest of the file may be inside an open quote.
_OPEN_QUOTE = re.compile("unexpected end of data|larger than field limit")

# A text with the bytes of its file read so far.
Reading = Iterator[tuple[Text, int]]


@dataclass(frozen=True)
class Fields:
    """Says how texts are found in files.

    text, id: columns of tables and keys of JSON objects. whole_files: each .txt file is one text;
    otherwise each of its lines is.
    """

    text: str = "text"
    id: str = "id"
    whole_files: bool = False


def read_inputs(files: Iterable[InputFile], fields: Fields) -> Reading:
    """Yield every text with the number of bytes read so far, of all files together.

    Raises ValueError for a damaged file (EL604), a table without the column (EL605), and packed
    bytes where the name promises text (EL626); ModuleNotFoundError for parquet without pyarrow
    (EL606).
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
                yield _text(file.shown_name, None if is_long else content), _position(stream)
            return
        for number, line in _lines(file, stream):
            yield _text(f"{file.shown_name}:{number}", line), _position(stream)


def _json_lines(file: InputFile, fields: Fields) -> Reading:
    with _open(file) as stream:
        for number, line in _lines(file, stream):
            place = f"{file.shown_name}:{number}"
            if line is None or _NOT_TEXT.search(line):
                yield _text(place, line), _position(stream)
            else:
                yield _json_text(place, line, fields), _position(stream)


def _json_text(place: str, line: str, fields: Fields) -> Text:
    try:
        value = json.loads(line.removeprefix("\ufeff"))  # of files put together
    except (ValueError, RecursionError) as error:
        return Text(place, None, error=Errors.EL608.format(field=fields.text, problem=error))
    if not isinstance(value, dict) or not isinstance(value.get(fields.text), str):
        problem = f"it is {shown(value)}"
        return Text(place, None, error=Errors.EL608.format(field=fields.text, problem=problem))
    return _text(_id(value.get(fields.id), place), value[fields.text])


def _table(file: InputFile, fields: Fields) -> Reading:
    csv.field_size_limit(LONGEST_TEXT)
    with _open(file, newline="") as stream:
        header, n_before = _header(file, stream)
        if not header.strip():
            return
        signs = _DELIMITERS_OF.get(file.kind, _DELIMITERS)
        names, delimiter = _columns(header, fields.text, signs)
        _require_columns(file, fields, names)
        rows = csv.reader(stream, delimiter=delimiter, strict=True)
        of_text = names.index(fields.text)
        of_id = names.index(fields.id) if fields.id in names else None
        number = 0
        while (row := _row(file, rows, n_before)) is not None:
            number += 1
            place = f"{file.shown_name}:{number}"
            if not row:
                continue  # a blank line
            if isinstance(row, str):
                yield Text(place, None, error=row), _position(stream)
            elif len(row) != len(names):
                error = Errors.EL609.format(found=len(row), expected=len(names))
                yield Text(place, None, error=error), _position(stream)
            else:
                given = None if of_id is None else row[of_id]
                yield _text(_id(given, place), row[of_text]), _position(stream)


def _header(file: InputFile, stream: IO[str]) -> tuple[str, int]:
    """Return the first line that is not blank, with those that its quotes go on over.

    The second value is the number of lines read.
    """
    header, n_lines = "", 0
    while not header.strip() or _is_open(header):
        line = _guarded(file, n_lines + 1, lambda: stream.readline(_LONGEST_HEADER))
        header, n_lines = header + line if header.strip() else line, n_lines + 1
        if line and len(header) < _LONGEST_HEADER:
            continue
        if _is_open(header):
            raise _damage(file, 1, "a quote of the header is never closed")
        break
    return header, n_lines


def _is_open(header: str) -> bool:
    for sign in _DELIMITERS:
        try:
            next(csv.reader([header], delimiter=sign, strict=True), None)
        except csv.Error as error:
            if _OPEN_QUOTE.search(str(error)):
                return True
    return False


def _row(file: InputFile, rows: Any, n_before: int) -> list[str] | str | None:
    """Return the next row, why it is none, or None at the end; n_before: lines of the header."""
    line = n_before + rows.line_num + 1
    try:
        return _guarded(file, line, lambda: next(rows, None))
    except csv.Error as error:
        if _OPEN_QUOTE.search(str(error)):
            raise _damage(file, line, error) from error
        return Errors.EL627.format(line=line, problem=error)


def _columns(header: str, text: str, signs: str) -> tuple[list[str], str]:
    """Return the names of the columns and the first delimiter that gives one named ``text``."""
    readings = [(_split(header, sign), sign) for sign in signs]
    stripped = [([name.strip() for name in names], sign) for names, sign in readings]
    return next(
        (reading for reading in stripped if text in reading[0]),
        max(stripped, key=lambda reading: len(reading[0])),
    )


def _split(header: str, sign: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=sign), [])
    except csv.Error:  # its quotes are none with this delimiter
        return []


def _require_columns(file: InputFile, fields: Fields, names: Sequence[str]) -> None:
    """Raise ValueError where the texts have no column (EL605), or a name has several (EL604)."""
    if fields.text not in names:
        columns = ", ".join(names)
        message = Errors.EL605.format(path=file.shown_name, field=fields.text, columns=columns)
        raise ValueError(message)
    for name in (fields.text, fields.id):
        if names.count(name) > 1:
            raise _damage(file, 1, f"{names.count(name)} columns have the name {name!r}")


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
        table = ParquetFile(file.name, buffer_size=_PARQUET_BYTES, pre_buffer=False)
        names = table.schema_arrow.names
        _require_columns(file, fields, names)
        columns = [name for name in dict.fromkeys((fields.text, fields.id)) if name in names]
        n_rows, number = max(1, table.metadata.num_rows), 0
        for batch in table.iter_batches(batch_size=_PARQUET_ROWS, columns=columns):
            texts = batch.column(fields.text)
            ids = batch.column(fields.id) if fields.id in columns else None
            for row in range(batch.num_rows):
                number += 1
                given = None if ids is None else _value(ids[row])
                name = _id(given, f"{file.shown_name}:{number}")
                yield _column_text(name, texts[row], fields), file.n_bytes * number // n_rows
    except (ArrowException, OSError) as error:
        problem = str(error).partition("\n")[0]
        raise _damage(file, 1, problem) from error


def _column_text(name: str, value: Any, fields: Fields) -> Text:
    text = _value(value)
    if isinstance(text, str):
        return _text(name, text)
    return Text(name, None, error=Errors.EL628.format(field=fields.text, problem=shown(text)))


def _value(value: Any) -> Any:
    """Return a value of Arrow's as one of Python's; bytes that are not UTF-8 become surrogates."""
    try:
        return value.as_py()
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "surrogateescape")


def _docs(file: InputFile, fields: Fields) -> Reading:
    if file.name == STANDARD_INPUT:
        raise ValueError(Errors.EL607.format(kind=file.kind))
    for number, doc in enumerate(docs_in(Path(file.name), Vocab()), start=1):
        words = [token.text for token in doc]
        known = not doc.has_unknown_spaces
        spaces = [bool(token.whitespace_) for token in doc] if known else None
        given = _id(doc.user_data.get(fields.id), f"{file.shown_name}:{number}")
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
    raw = _guarded(file, 1, lambda: _bytes_of(file))
    start = _guarded(file, 1, lambda: raw.peek(16))
    for name, pattern in _PACKED_BYTES.items():
        if pattern.match(start):
            raw.close()
            raise ValueError(Errors.EL626.format(path=file.shown_name, packing=name))
    return decoded(raw, newline)


def _bytes_of(file: InputFile) -> io.BufferedReader:
    if file.name != STANDARD_INPUT:
        return open_bytes(Path(file.name))
    if sys.stdin is None:
        raise _damage(file, 1, "it is closed")
    return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))


def _position(stream: IO[str]) -> int:
    raw: Any = stream.buffer.raw  # type: ignore[attr-defined]
    return bytes_read(stream) if not isinstance(raw, io.FileIO) or raw.seekable() else 0


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
    except DAMAGE as error:
        raise _damage(file, line, error) from error


def _damage(file: InputFile, line: int, problem: object) -> ValueError:
    return ValueError(Errors.EL604.format(path=file.shown_name, line=line, problem=problem))


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
