"""The gold corpora a comparison is run on, and what is known about them beforehand."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpus.docbin import read_docs
from ..errors import Errors
from .annotation import Annotation, entity_words, from_doc
from .results import PublishedFigures

TEXT_SUFFIX = ".txt"

PUBLISHED = Path(__file__).with_name("published.json")


@dataclass(frozen=True)
class GoldCorpus:
    """Docs and their annotation; ``corpus`` is the name in the corpus.json beside the file.

    ``has_gold`` is False for plain text, and for Docs that hold neither entities nor tags.
    """

    path: Path
    corpus: str | None
    docs: list[Doc]
    annotations: list[Annotation]

    @property
    def has_entities(self) -> bool:
        return any(gold.entities is not None for gold in self.annotations)

    @property
    def has_tags(self) -> bool:
        return any(gold.tags is not None for gold in self.annotations)

    @property
    def has_gold(self) -> bool:
        return self.has_entities or self.has_tags

    @property
    def part(self) -> str:
        """Which part of the corpus this is, by the file's name: "test", "test_fixed"."""
        return self.path.stem

    @property
    def n_words(self) -> int:
        return sum(len(doc) for doc in self.docs)

    @property
    def n_entities(self) -> int:
        return sum(len(gold.entities or ()) for gold in self.annotations)

    @property
    def entity_labels(self) -> set[str]:
        return {label for gold in self.annotations for _, _, label in gold.entities or ()}

    @property
    def tag_labels(self) -> set[str]:
        return {tag for gold in self.annotations for tag in gold.tags or () if tag}


def read_corpus(path: Path, make_doc: Callable[[str], Doc]) -> GoldCorpus:
    """Read a .spacy DocBin, or a .txt file of UTF-8, one text a line, which ``make_doc`` splits.

    Raises like `read_docs`; for a .txt file ValueError: not UTF-8 (EL304), no words (EL305).
    """
    docs = list(_read_lines(path, make_doc) if _is_text(path) else read_docs(path, Vocab()))
    if not docs:
        raise ValueError(Errors.EL305.format(path=path))
    return GoldCorpus(path, _corpus_name(path), docs, [from_doc(doc) for doc in docs])


def train_entities(gold: GoldCorpus) -> set[tuple[str, ...]]:
    """The surface forms of every entity, to tell seen from unseen ones."""
    forms: set[tuple[str, ...]] = set()
    for annotation in gold.annotations:
        forms |= entity_words(annotation.words, annotation.entities or ())
    return forms


def published_figures(gold: GoldCorpus) -> list[PublishedFigures]:
    """Printed figures for this part of this corpus, any variant of it ("test_fixed" is "test").

    None for a slice of it: the number of Docs must be right too.
    """
    part = gold.part.partition("_")[0]
    entries = json.loads(PUBLISHED.read_text(encoding="utf8"))
    return [
        PublishedFigures(**entry["figures"])
        for entry in entries
        if (entry["corpus"], entry["part"], entry["n_docs"]) == (gold.corpus, part, len(gold.docs))
    ]


def check_files(paths: Sequence[Path]) -> None:
    """Raise ValueError (EL304) for a path that is no file, before anything slow is begun."""
    for path in paths:
        if not path.is_file():
            problem = "it is a folder" if path.is_dir() else "there is no such file"
            raise ValueError(Errors.EL304.format(path=path, problem=problem))


def _is_text(path: Path) -> bool:
    return path.suffix == TEXT_SUFFIX


def _read_lines(path: Path, make_doc: Callable[[str], Doc]) -> Iterator[Doc]:
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    yield make_doc(line.strip())
    except UnicodeDecodeError as error:
        raise ValueError(Errors.EL304.format(path=path, problem=error)) from error


def _corpus_name(path: Path) -> str | None:
    description = path.with_name("corpus.json")
    if not description.is_file():
        return None
    try:
        data = json.loads(description.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(Errors.EL304.format(path=description, problem=error)) from error
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None
