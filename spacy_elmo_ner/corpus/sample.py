"""Read a corpus that people can edit: one word per line with its tag and label, in UTF-8.

    # a comment
    Mr.<TAB>NNP<TAB>B-per
    Azhari<TAB>NNP<TAB>I-per
    smiled<TAB>VBD<TAB>O
                                  (an empty line ends a sentence)

A folder of ``train.conll``, ``dev.conll`` and ``test.conll`` is a corpus. A ``-DOCSTART-`` line
ends the sentence before it and is no word.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import Errors, shown
from .gmb import DOCUMENT_START, GMBSentence
from .splits import Part, Split

_LABEL = re.compile(r"O|[BI]-\S+")
_COLUMNS = 3


def sample_path(folder: Path, part: Part) -> Path:
    """Return the file of one part."""
    return folder / f"{part}.conll"


def read_sample(folder: str | Path) -> Split:
    """Read a folder's three parts; raises what `read_conll` does."""
    folder = Path(folder)
    return Split(
        train=read_conll(sample_path(folder, "train")),
        dev=read_conll(sample_path(folder, "dev")),
        test=read_conll(sample_path(folder, "test")),
    )


def read_conll(path: str | Path) -> list[GMBSentence]:
    """Read one file; sentences are numbered from 1.

    Raises FileNotFoundError (EL220), or ValueError naming file and line: not UTF-8 (EL221), not
    three columns (EL222), a label that is no BIO label (EL223), no sentence at all (EL224).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(Errors.EL220.format(path=path))
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        value = f"0x{data[err.start]:02x}"
        raise ValueError(Errors.EL221.format(path=path, line=line, value=value)) from err
    sentences = [
        GMBSentence(number, *zip(*rows, strict=True))
        for number, rows in enumerate(_blocks(path, text), 1)
    ]
    if not sentences:
        raise ValueError(Errors.EL224.format(path=path))
    return sentences


def _blocks(path: Path, text: str) -> Iterator[list[list[str]]]:
    """Yield the rows of each sentence: word, tag, label."""
    rows: list[list[str]] = []
    # Not splitlines, which also breaks at characters that may be in a word.
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line == "#" or line.startswith("# "):
            continue
        if not line.strip() or line.split(maxsplit=1)[0] == DOCUMENT_START:
            if rows:
                yield rows
            rows = []
            continue
        columns = line.split("\t")
        if len(columns) != _COLUMNS or not all(column.strip() for column in columns):
            raise ValueError(Errors.EL222.format(path=path, line=number, value=shown(line)))
        if not _LABEL.fullmatch(columns[-1]):
            raise ValueError(Errors.EL223.format(path=path, line=number, value=shown(columns[-1])))
        rows.append(columns)
    if rows:
        yield rows
