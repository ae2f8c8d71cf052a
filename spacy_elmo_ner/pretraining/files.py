"""Sentences from files: plain text, JSON lines in spaCy's convention, spaCy's own Docs.

Text is cut into words with a spaCy tokenizer, so that the biLM sees words as a pipeline will cut
them. Docs in a .spacy file keep the words, and where set the sentences, that they have.
"""

import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from ..corpus.xz import XZReader
from ..errors import Errors, shown

TEXT_SUFFIXES = (".txt", ".jsonl", ".spacy", ".gz", ".xz")
_PACKED = (".gz", ".xz")
_LONGEST_LINE = 1_000_000
# What is not text: NUL, and how "surrogateescape" marks a byte that is not UTF-8.
_NOT_TEXT = re.compile("[\0\udc80-\udcff]")
# In JSON any half of a character can be spelled out; it stands for nothing and cannot be written.
_NOT_JSON_TEXT = re.compile("[\0\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\r\n]+")


def find_text_files(paths: Sequence[Path]) -> list[Path]:
    """Files as given, and for a folder those below it that end in TEXT_SUFFIXES, in order of name.

    Raises ValueError for a folder that holds none.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = (file for file in path.rglob("*") if file.suffix in TEXT_SUFFIXES)
        below = sorted(file for file in found if file.is_file())
        if not below:
            raise ValueError(Errors.EL413.format(path=path, suffixes=", ".join(TEXT_SUFFIXES)))
        files += below
    return files


def is_packed(path: Path) -> bool:
    return path.suffix in _PACKED


def read_sentences(path: Path, nlp: Language) -> Iterator[list[str]]:
    """The words of each sentence or paragraph of one file, which may be none; no blanks.

    A file ending in .jsonl (.jsonl.gz, .jsonl.xz) holds one {"text": ...} a line, one ending in
    .spacy a DocBin; any other is text, one sentence or paragraph a line.
    Raises FileNotFoundError, or ValueError naming file and line where it is not what its name says.
    """
    kind = path.with_suffix("").suffix if is_packed(path) else path.suffix
    if kind == ".spacy" and not is_packed(path):
        yield from _read_docs(path)
        return
    texts = read_json_lines(path) if kind == ".jsonl" else read_lines(path)
    yield from map(_words, map(nlp.tokenizer, texts))


def read_lines(path: Path) -> Iterator[str]:
    """Lines of one text file that are not blank, decompressed on the way.

    Raises FileNotFoundError, or ValueError naming file and line where it is not text.
    """
    return (line for _, line in _numbered_lines(path))


def read_json_lines(path: Path) -> Iterator[str]:
    """Paragraphs of the texts in a file of JSON objects, one {"text": ...} a line; None is blank.

    Raises FileNotFoundError, or ValueError naming file and line where there is no such object.
    """
    for number, line in _numbered_lines(path):
        try:
            value = json.loads(line)
            if not isinstance(value, dict) or not isinstance(value.get("text"), str):
                raise ValueError(f'{shown(value)} is no object with a "text"')
            if found := _NOT_JSON_TEXT.search(value["text"]):
                raise ValueError(f"its text holds U+{ord(found[0]):04X}")
        except (ValueError, RecursionError) as err:
            raise ValueError(Errors.EL415.format(path=path, line=number, problem=err)) from err
        yield from filter(None, map(str.strip, _LINE_BREAKS.split(value["text"])))


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and the lines that are not blank, stripped."""
    if not path.is_file():
        raise FileNotFoundError(Errors.EL401.format(path=path))
    number = 0
    try:
        with _open(path) as file:
            # Never more than one longest line in memory, whatever the file holds.
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise ValueError(
                        Errors.EL404.format(path=path, line=number, limit=_LONGEST_LINE)
                    )
                if found := _NOT_TEXT.search(line):
                    problem = f"byte 0x{ord(found[0]) & 0xFF:02x}"
                    raise ValueError(Errors.EL403.format(path=path, line=number, problem=problem))
                if line := line.strip():
                    yield number, line
    except (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile) as err:
        raise ValueError(Errors.EL403.format(path=path, line=number + 1, problem=err)) from err


def _read_docs(path: Path) -> Iterator[list[str]]:
    if not path.is_file():
        raise FileNotFoundError(Errors.EL401.format(path=path))
    try:
        for doc in DocBin().from_disk(path).get_docs(Vocab()):
            sentences = doc.sents if doc.has_annotation("SENT_START") else [doc]
            yield from map(_words, sentences)
    # spaCy reads whatever the file says: damage shows itself as any error there is.
    except Exception as err:
        raise ValueError(Errors.EL417.format(path=path, problem=str(err) or repr(err))) from err


def _words(doc: Doc | Span) -> list[str]:
    # Only tokens made by others hold a line break; our vocabulary is a file of lines.
    words = (_LINE_BREAKS.sub(" ", token.text) for token in doc)
    return [word for word in words if word.strip()]


def _open(path: Path) -> IO[str]:
    opener: Any = {".xz": XZReader, ".gz": gzip.GzipFile}.get(path.suffix, io.FileIO)
    file = io.BufferedReader(opener(path))
    # Bytes that are not UTF-8 pass as surrogates, so that the line they stand in can be named.
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape")
