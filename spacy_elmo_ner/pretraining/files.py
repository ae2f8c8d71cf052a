"""Read sentences from files: plain text, JSON lines in spaCy's convention, spaCy's own Docs.

A spaCy tokenizer cuts text into words, as it will in a pipeline. Docs in a .spacy file keep their
own words, and their own sentences where they are set.
"""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..corpus.docbin import docs_in
from ..corpus.gmb import DOCUMENT_START
from ..corpus.text_files import DAMAGE, files_below, is_packed, kind_of, open_text
from ..errors import Errors, Warnings, shown
from .text_checks import with_warning_of_structure

TEXT_SUFFIXES = (".txt", ".jsonl", ".spacy", ".gz", ".xz")
# Files that a warning names.
_MOST_NAMES = 5
_LONGEST_LINE = 1_000_000
# What is not text: NUL, and how "surrogateescape" marks a byte that is not UTF-8.
_NOT_TEXT = re.compile("[\0\udc80-\udcff]")
# In JSON any half of a character can be spelled out; it stands for nothing and cannot be written.
_NOT_JSON_TEXT = re.compile("[\0\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\r\n]+")


def find_text_files(paths: Iterable[Path]) -> list[Path]:
    """Return files as given, and for a folder the text files below it, in order of name.

    Text files are those that end in TEXT_SUFFIXES, in lower or upper case. Links to folders are
    followed, each folder once. Warns (WL402) of the files that are left out. Raises ValueError
    (EL413) for a folder that holds no text, OSError for one that cannot be listed.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        below = sorted(files_below(path))
        texts = [file for file in below if file.suffix.lower() in TEXT_SUFFIXES]
        suffixes = ", ".join(TEXT_SUFFIXES)
        if not texts:
            raise ValueError(Errors.EL413.format(path=path, suffixes=suffixes))
        left_out = [file for file in below if file.suffix.lower() not in TEXT_SUFFIXES]
        # Files that systems leave behind, such as .DS_Store.
        if named := [str(f.relative_to(path)) for f in left_out if not f.name.startswith(".")]:
            message = Warnings.WL402.format(
                folder=path,
                n_read=len(texts),
                n_files=len(texts) + len(named),
                names=_listed(named),
                suffixes=suffixes,
            )
            warnings.warn(message, stacklevel=2)
        files += texts
    return files


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def read_sentences(path: Path, nlp: Language) -> Iterator[list[str]]:
    """Yield the words of each sentence or paragraph of one file, without blanks.

    A file ending in .jsonl (.jsonl.gz, .jsonl.xz) holds one {"text": ...} per line, one ending in
    .spacy a DocBin; any other is text with one sentence or paragraph per line.
    Raises FileNotFoundError, or ValueError naming file and line where it is not what its name says.
    """
    kind = kind_of(path)
    if kind == ".spacy" and not is_packed(path):
        yield from _read_docs(path)
        return
    texts = _numbered_paragraphs(path) if kind == ".jsonl" else _numbered_lines(path)
    yield from map(_words, map(nlp.tokenizer, with_warning_of_structure(path, texts)))


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of one text file that are not blank, decompressed as they are read.

    Raises FileNotFoundError, or ValueError naming file and line where it is not text.
    """
    return (line for _, line in _numbered_lines(path))


def read_json_lines(path: Path) -> Iterator[str]:
    """Yield the paragraphs, none blank, of a file with one JSON object {"text": ...} per line.

    Raises FileNotFoundError, or ValueError naming file and line where there is no such object.
    """
    return (text for _, text in _numbered_paragraphs(path))


def _numbered_paragraphs(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in _numbered_lines(path):
        try:
            value = json.loads(line)
            if not isinstance(value, dict) or not isinstance(value.get("text"), str):
                raise ValueError(f'{shown(value)} is no object with a "text"')
            if match := _NOT_JSON_TEXT.search(value["text"]):
                raise ValueError(f"its text holds U+{ord(match[0]):04X}")
        except (ValueError, RecursionError) as err:
            raise ValueError(Errors.EL415.format(path=path, line=number, problem=err)) from err
        for paragraph in _LINE_BREAKS.split(value["text"]):
            if paragraph := paragraph.strip():
                yield number, paragraph


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers from 1 and the lines that are not blank, stripped."""
    if not path.is_file():
        raise FileNotFoundError(Errors.EL401.format(path=path))
    number = 0
    try:
        with open_text(path) as file:
            # Never more than one longest line in memory, whatever the file holds.
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise ValueError(
                        Errors.EL404.format(path=path, line=number, limit=_LONGEST_LINE)
                    )
                if match := _NOT_TEXT.search(line):
                    problem = f"byte 0x{ord(match[0]) & 0xFF:02x}"
                    raise ValueError(Errors.EL403.format(path=path, line=number, problem=problem))
                if line := line.strip():
                    yield number, line
    except DAMAGE as err:
        raise ValueError(Errors.EL403.format(path=path, line=number + 1, problem=err)) from err


def _read_docs(path: Path) -> Iterator[list[str]]:
    if not path.is_file():
        raise FileNotFoundError(Errors.EL401.format(path=path))
    for doc in docs_in(path, Vocab()):
        sentences = doc.sents if doc.has_annotation("SENT_START") else [doc]
        yield from (words for words in map(_words, sentences) if words != [DOCUMENT_START])


def _words(doc: Doc | Span) -> list[str]:
    # Only tokens made by others hold a line break; our vocabulary is a file of lines.
    words = (_LINE_BREAKS.sub(" ", token.text) for token in doc)
    return [word for word in words if word.strip()]
