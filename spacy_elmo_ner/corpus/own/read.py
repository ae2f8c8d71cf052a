"""Read people's own annotated files, whichever of the usual formats they are in."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language

from ...errors import Errors, Warnings, shown
from ..docbin import SUFFIX, docs_in, layers_of
from ..encoding import decode
from .columns import read_columns
from .records import read_records
from .texts import OwnText

COLUMNS = (".conll", ".iob", ".iob2", ".bio", ".bilou", ".tsv", ".txt")
RECORDS = (".jsonl", ".json")
SUFFIXES = (*COLUMNS, *RECORDS, SUFFIX)


def read_own(path: Path, nlp: Language) -> list[OwnText]:
    """Return the texts of a file, those without words left out; its name tells the format.

    Raises FileNotFoundError (EL651); ValueError naming file and line: another suffix (EL652), a
    line that cannot be read (EL653, EL654, EL655), no annotated text (EL656), no DocBin (EL322).
    """
    if not path.is_file():
        raise FileNotFoundError(Errors.EL651.format(path=path))
    suffix = path.suffix.lower()
    if suffix == SUFFIX:
        texts = list(_docs(path, nlp))
    elif suffix in COLUMNS:
        texts = read_columns(path, _text(path), nlp.vocab)
    elif suffix in RECORDS:
        texts = read_records(path, _text(path), nlp)
    else:
        raise ValueError(Errors.EL652.format(path=path, suffixes=", ".join(SUFFIXES)))
    texts = [text for text in texts if text.words]
    if not texts or not any(layers_of(text.doc for text in texts)):
        raise ValueError(Errors.EL656.format(path=path))
    return texts


def _docs(path: Path, nlp: Language) -> Iterator[OwnText]:
    for number, doc in enumerate(docs_in(path, nlp.vocab), 1):
        yield OwnText(doc, path, f"text {number}")


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        decoded = decode(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        value = f"0x{data[error.start]:02x}"
        message = Errors.EL655.format(path=path, line=line, value=value, encoding=error.encoding)
        raise ValueError(message) from error
    if decoded.is_guess:
        line, value = decoded.first_not_ascii()
        warnings.warn(Warnings.WL401.format(path=path, line=line, value=shown(value)), stacklevel=2)
    return decoded.text
