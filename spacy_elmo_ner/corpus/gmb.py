"""Read the "entity annotated corpus", an extract of the Groningen Meaning Bank: one word per row.

Columns: Sentence # (filled on a sentence's first row only), Word, POS, Tag. The published file is
in Windows-1252; files of the same form are mostly in UTF-8, and their bytes decide. Every cell is
taken for what it is: the word "None" is a word, and so is a lone ellipsis (byte 0x85, which
Latin-1 readers take for a blank).
"""

import csv
import gzip
import hashlib
import io
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import Errors, Warnings, shown
from .encoding import Decoded, decode
from .xz import XZReader

CSV_NAME = "ner_dataset.csv"
# Of the CSV itself, unpacked: 15,208,151 bytes, 47,959 sentences.
CSV_SHA256 = "83257dd94ed59596809dc9f5b28f1f035c9d925d5a647f266db43a2f098e8f1a"

ENTITY_TYPES = ("art", "eve", "geo", "gpe", "nat", "org", "per", "tim")
NER_TAGS = frozenset({"O", *(f"{prefix}-{type_}" for prefix in "BI" for type_ in ENTITY_TYPES)})

_HEADER = ["Sentence #", "Word", "POS", "Tag"]
_SENTENCE = "Sentence: "
# A line that opens a document in CoNLL's files; copies of such corpora keep it as a sentence.
DOCUMENT_START = "-DOCSTART-"
# Four times the published file; a packed file of a few kilobytes may unpack to any size.
_MOST_BYTES = 1 << 26
_MAGIC = {b"\xfd7zXZ\0": ".xz", b"\x1f\x8b": ".gz", b"PK\3\4": ".zip"}
_READ_ERRORS = (
    OSError,
    EOFError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,  # a compression zipfile does not know
    RuntimeError,  # a zip file with a password
    ValueError,  # names in a zip file that are no UTF-8
    OverflowError,
    struct.error,
)


@dataclass(frozen=True)
class GMBSentence:
    """Hold words with their Penn tags and BIO labels, all of one length; number counts from 1."""

    number: int
    words: tuple[str, ...]
    tags: tuple[str, ...]
    ents: tuple[str, ...]


@dataclass(frozen=True)
class GMBFile:
    """Hold a CSV as read; sha256 is of the CSV itself, not of an archive around it.

    encoding: the one chosen for its bytes, as Python names it, such as "ascii",
    "utf-8" or "cp1252".
    """

    path: Path
    sha256: str
    sentences: list[GMBSentence]
    encoding: str

    @property
    def is_published(self) -> bool:
        """Tell whether this is the file that all published figures were made from."""
        return self.sha256 == CSV_SHA256


def read_gmb(path: str | Path) -> list[GMBSentence]:
    """Return the sentences of `open_gmb`, in the order of the file."""
    return open_gmb(path).sentences


def open_gmb(path: str | Path) -> GMBFile:
    """Read the CSV, plain or packed as .xz, .gz or .zip.

    Any file of this format is accepted; ``is_published`` tells whether it is the known one.
    Warns (WL401) of another file that is read as Windows-1252, as any single-byte encoding could
    be. Raises FileNotFoundError, or ValueError naming file, line and value: unreadable or
    truncated (EL202), no words (EL203), and broken rows (EL204 to EL210).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(Errors.EL201.format(path=path))
    try:
        data = _unpack(path)
    except _READ_ERRORS as err:
        raise ValueError(Errors.EL202.format(path=path, problem=err)) from err
    decoded = _decode(path, data)
    sentences = list(_sentences(path, decoded.text))
    if not sentences:
        raise ValueError(Errors.EL203.format(path=path))
    gmb = GMBFile(path, hashlib.sha256(data).hexdigest(), sentences, decoded.encoding)
    if decoded.is_guess and not gmb.is_published:
        line, value = decoded.first_not_ascii()
        warnings.warn(Warnings.WL401.format(path=path, line=line, value=shown(value)), stacklevel=2)
    return gmb


def _unpack(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(6)
    # Names lie: the first bytes tell more.
    kinds = (kind for magic, kind in _MAGIC.items() if start.startswith(magic))
    kind = next(kinds, path.suffix.lower())
    if kind == ".xz":
        with io.BufferedReader(XZReader(path)) as unpacked:
            return _read(unpacked)
    if kind == ".gz":
        with gzip.open(path) as packed:
            return _read(packed)
    if kind == ".zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                # The published archive also holds a "._ner_dataset.csv" of file attributes.
                if PurePosixPath(info.filename).name == CSV_NAME:
                    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        raise zipfile.BadZipFile("it is packed in another way than deflate")
                    with archive.open(info) as member:
                        return _read(member)
            raise zipfile.BadZipFile(f"it holds no {CSV_NAME}")
    with path.open("rb") as file:
        return _read(file)


def _read(file: IO[bytes] | io.BufferedIOBase) -> bytes:
    data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(f"it holds more than {_MOST_BYTES:,} bytes")
    return data


def _decode(path: Path, data: bytes) -> Decoded:
    try:
        return decode(data)
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        value = f"0x{data[err.start]:02x}"
        message = Errors.EL204.format(path=path, line=line, value=value, encoding=err.encoding)
        raise ValueError(message) from err


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every row after the header."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if reader.line_num == 1:
                if row != _HEADER:
                    message = Errors.EL205.format(
                        path=path, value=shown(row), header=",".join(_HEADER)
                    )
                    raise ValueError(message)
            elif len(row) != len(_HEADER):
                place = {"path": path, "line": reader.line_num}
                raise ValueError(Errors.EL206.format(**place, n=len(row), value=shown(row)))
            else:
                yield reader.line_num, row
    except csv.Error as err:
        line = reader.line_num
        raise ValueError(Errors.EL207.format(path=path, line=line, problem=err)) from err


def _sentences(path: Path, text: str) -> Iterator[GMBSentence]:
    number = 0
    seen: set[int] = set()
    rows: list[tuple[str, str, str]] = []
    for line, (name, word, tag, ent) in _rows(path, text):
        place = {"path": path, "line": line}
        # Some copies repeat the sentence's name on each of its rows.
        if name and name != f"{_SENTENCE}{number}":
            if rows:
                yield _sentence(number, rows)
            rows = []
            number = _number(path, line, name, seen)
            seen.add(number)
        if not number:
            raise ValueError(Errors.EL209.format(**place, value=shown(word)))
        if ent not in NER_TAGS:
            known = ", ".join(sorted(NER_TAGS))
            raise ValueError(Errors.EL208.format(**place, value=shown(ent), known=known))
        # A line break can only come from a quotation mark left open.
        if not tag.strip() or "\n" in word:
            raise ValueError(Errors.EL210.format(**place, value=shown([word, tag])))
        if word != DOCUMENT_START:
            rows.append((word, tag, ent))
    if rows:
        yield _sentence(number, rows)


def _number(path: Path, line: int, name: str, seen: set[int]) -> int:
    digits = name.removeprefix(_SENTENCE)
    is_number = digits.isdecimal() and len(digits) < 10 and name.startswith(_SENTENCE)
    number = int(digits) if is_number else 0
    if not number or number in seen:
        raise ValueError(Errors.EL211.format(path=path, line=line, value=shown(name)))
    return number


def _sentence(number: int, rows: list[tuple[str, str, str]]) -> GMBSentence:
    words, tags, ents = zip(*rows, strict=True)
    return GMBSentence(number, words, tags, ents)
