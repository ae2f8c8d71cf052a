"""A part of a train part, for learning curves."""

import random
from pathlib import Path

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..errors import Errors
from ..files import atomic_file, make_output_folder
from .docbin import read_docbin, read_docs

SEED = 2021


def write_share(train: Path, percent: float, folder: Path) -> Path:
    """Write ``percent`` of a .spacy file's Docs to train.spacy in the folder; returns its path.

    Drawn by a fixed seed, so that a smaller share is part of every larger one, and never empty.
    Raises ValueError (EL516) for a percentage outside (0, 100], FileNotFoundError (EL501), and
    ValueError like `read_docs` for a file that is no corpus.
    """
    if not 0 < percent <= 100:
        raise ValueError(Errors.EL516.format(value=percent))
    if not train.is_file():
        raise FileNotFoundError(Errors.EL501.format(path=train))
    attrs = read_docbin(train).attrs
    docs = list(read_docs(train, Vocab()))
    random.Random(SEED).shuffle(docs)
    part = DocBin(attrs=attrs, docs=docs[: max(1, round(len(docs) * percent / 100))])
    make_output_folder(folder)
    path = folder / "train.spacy"
    with atomic_file(path) as temporary:
        part.to_disk(temporary)
    return path
