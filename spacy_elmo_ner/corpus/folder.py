"""Write a split for ``spacy train``: .spacy files and a corpus.json about them."""

import json
import os
import random
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..decoding import bio_to_spans
from ..errors import Errors
from ..files import atomic_file, make_output_folder, sync
from .docbin import read_docbin, read_docs
from .docs import doc_bin_bytes
from .gmb import GMBSentence
from .splits import PARTS, Split, Variant, cut

CORPUS_FILE = "corpus.json"

_SHARE_SEED = 2021

# The article shows this sentence of the seed split's test part to its readers.
_ARTICLE_EXAMPLE = {"part": "test", "index": 395}


@dataclass(frozen=True)
class SourceFile:
    """Name a file the corpus was made from; the sha256 of a packed CSV is of the CSV inside."""

    file: str
    sha256: str


@dataclass(frozen=True)
class CorpusName:
    """Name a corpus as corpus.json and results do, with its test variants."""

    name: str
    test_variants: tuple[Variant, ...]


CORPUS_NAMES = {
    "seed": CorpusName("gmb-seed", ("full", "fixed", "published")),
    "clean": CorpusName("gmb-clean", ("full", "fixed")),
    "sample": CorpusName("sample", ("full", "fixed")),
}


@dataclass(frozen=True)
class PartSize:
    sentences: int
    tokens: int
    entities: int


def write_corpus(
    split: Split, split_name: str, sources: list[SourceFile], output: Path
) -> dict[str, PartSize]:
    """Write train, dev, test, test_fixed (and for seed test_published) and corpus.json.

    Nothing in ``output`` changes until every file is on the disk; then all are renamed. Meanwhile
    there is no corpus.json: a folder without one holds no complete corpus, and must be written
    again. Returns the size of each part. Raises ValueError
    (EL230) for a part without sentences, OSError (EL425) where no files can be written.
    """
    corpus = CORPUS_NAMES[split_name]
    files: dict[str, list[GMBSentence]] = {part: split.part(part) for part in PARTS}
    for part, sentences in files.items():
        if not sentences:
            raise ValueError(Errors.EL230.format(part=part, name=corpus.name))
    for variant in corpus.test_variants:
        if variant != "full":
            files[f"test_{variant}"] = [cut(sentence, variant) for sentence in split.test]
    sizes = {name: _size(sentences) for name, sentences in files.items()}
    description = {
        "name": corpus.name,
        "sources": [asdict(source) for source in sources],
        "split_sha256": split.sha256(),
        "parts": {name: asdict(size) for name, size in sizes.items()},
        "example": _ARTICLE_EXAMPLE if split_name == "seed" else None,
    }
    vocab = Vocab()
    staged = output / ".corpus.tmp"
    make_output_folder(output)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    try:
        for name, sentences in files.items():
            _write(staged / f"{name}.spacy", doc_bin_bytes(sentences, vocab))
        _write(staged / CORPUS_FILE, (json.dumps(description, indent=2) + "\n").encode())
        try:
            _move(staged, output)
        except KeyboardInterrupt:  # a moment later all is in place, and nothing is half of each
            _move(staged, output)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return sizes


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    sync(path)


def _move(staged: Path, output: Path) -> None:
    """Replace the old corpus by the new one; can be called again after an interruption."""
    if not (staged / CORPUS_FILE).exists():
        return
    if (output / CORPUS_FILE).exists():
        # Left from a seed split made here before; a new one comes with the others.
        (output / "test_published.spacy").unlink(missing_ok=True)
        (output / CORPUS_FILE).unlink()
    for path in staged.glob("*.spacy"):
        os.replace(path, output / path.name)
    os.replace(staged / CORPUS_FILE, output / CORPUS_FILE)


def _size(sentences: list[GMBSentence]) -> PartSize:
    return PartSize(
        sentences=len(sentences),
        tokens=sum(len(sentence.words) for sentence in sentences),
        entities=sum(len(bio_to_spans(sentence.ents)) for sentence in sentences),
    )


def write_share(train: Path, percent: float, folder: Path) -> Path:
    """Write ``percent`` of a .spacy file's Docs to train.spacy in the folder; return its path.

    The seed is fixed, so a smaller share is part of every larger one; no share is empty.
    Raises ValueError (EL516) for a percentage outside (0, 100], and (EL517) for the folder of the
    file itself; FileNotFoundError (EL501), and ValueError like `read_docs` for a file that is no
    corpus.
    """
    if not 0 < percent <= 100:
        raise ValueError(Errors.EL516.format(value=percent))
    if not train.is_file():
        raise FileNotFoundError(Errors.EL501.format(path=train))
    path = folder / "train.spacy"
    if path.resolve() == train.resolve():
        raise ValueError(Errors.EL517.format(path=train))
    attrs = read_docbin(train).attrs
    docs = list(read_docs(train, Vocab()))
    random.Random(_SHARE_SEED).shuffle(docs)
    part = DocBin(attrs=attrs, docs=docs[: max(1, round(len(docs) * percent / 100))])
    make_output_folder(folder)
    with atomic_file(path) as temporary:
        part.to_disk(temporary)
    return path
