"""Read gold corpora, and hold a text's annotation, gold's or predicted, apart from pipelines."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpus.docbin import layers_of, read_docs
from ..decoding import EntitySpan
from ..errors import Errors
from .results import LabeledSpan, PublishedFigures

TEXT_SUFFIX = ".txt"

PUBLISHED = Path(__file__).with_name("published.json")

# A tag that a label map maps to null. It equals no tag of any tag set, so it is wrong.
# No hyphen at its end: seqeval would read it as having no type and drop it.
UNMAPPED_TAG = "-unmapped"


@dataclass(frozen=True)
class Annotation:
    """Holds a text's words with their entities and tags; a layer that is not annotated is None.

    ``tags`` has one entry per word, "" for a word without a tag. ``confidence`` maps the (start,
    end) of predicted entities to a probability in [0, 1], where their pipe gives one.
    ``alternatives`` are spans with probabilities that are not entities. ``tag_confidence`` has one
    probability per word, NaN where there is none, and is empty if no word has one.
    ``unannotated`` holds the words whose entities are unknown in a text that is annotated in part.
    """

    words: list[str]
    entities: list[LabeledSpan] | None
    tags: list[str] | None
    confidence: Mapping[tuple[int, int], float] = field(default_factory=dict)
    alternatives: Sequence[EntitySpan] = ()
    tag_confidence: Sequence[float] = ()
    unannotated: frozenset[int] = frozenset()

    def within(self, truth: "Annotation") -> "Annotation":
        """Return this prediction without the spans that touch words which gold does not annotate.

        They are neither right nor wrong. spaCy's Scorer leaves them out too; seqeval and
        nervaluate, which know of nothing but O, would count them as wrong.
        """
        if not truth.unannotated:
            return self

        def known(span: LabeledSpan | EntitySpan) -> bool:
            return truth.unannotated.isdisjoint(range(span[0], span[1]))

        return replace(
            self,
            entities=None if self.entities is None else [*filter(known, self.entities)],
            alternatives=tuple(filter(known, self.alternatives)),
        )


# Gold's and the predicted annotation of each text.
Pairs = Sequence[tuple[Annotation, Annotation]]


def scored_tags(truth: Annotation, guess: Annotation) -> Iterator[tuple[int, str, str]]:
    """Yield (index, gold tag, predicted tag) of the words on which tags are scored.

    They have a gold tag and are not white space.
    """
    if truth.tags and guess.tags:
        columns = zip(truth.words, truth.tags, guess.tags, strict=True)
        for index, (word, tag, guessed) in enumerate(columns):
            if tag and word.strip():
                yield index, tag, guessed


def from_doc(doc: Doc) -> Annotation:
    """Read a gold Doc; a layer without any annotation becomes None."""
    with_entities, with_tags = layers_of([doc])
    return Annotation(
        words=[token.text for token in doc],
        entities=entities_of(doc) if with_entities else None,
        tags=[token.tag_ for token in doc] if with_tags else None,
        unannotated=frozenset(token.i for token in doc if with_entities and not token.ent_iob),
    )


def entities_of(doc: Doc) -> list[LabeledSpan]:
    """Return the entities of a Doc as tuples."""
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def entity_words(
    words: Sequence[str], entities: Iterable[LabeledSpan]
) -> Iterator[tuple[str, ...]]:
    """Yield the words of each entity as written."""
    return (tuple(words[start:end]) for start, end, _ in entities)


@dataclass(frozen=True)
class GoldCorpus:
    """Holds Docs and their annotation; ``corpus`` is the name in the corpus.json beside the file.

    ``has_gold`` is False for plain text, and for Docs that hold neither entities nor tags.
    """

    path: Path
    corpus: str | None
    docs: list[Doc]
    annotations: list[Annotation]

    @property
    def has_entities(self) -> bool:
        """Return whether any text has a layer of entities."""
        return any(gold.entities is not None for gold in self.annotations)

    @property
    def has_tags(self) -> bool:
        """Return whether any text has a layer of tags."""
        return any(gold.tags is not None for gold in self.annotations)

    @property
    def has_gold(self) -> bool:
        """Return whether there is anything to score against."""
        return self.has_entities or self.has_tags

    @property
    def part(self) -> str:
        """Return the part of the corpus, by the file's name: "test", "test_fixed"."""
        return self.path.stem

    @property
    def n_words(self) -> int:
        """Return the number of words in all texts."""
        return sum(len(doc) for doc in self.docs)

    @property
    def n_entities(self) -> int:
        """Return the number of gold entities."""
        return sum(len(gold.entities or ()) for gold in self.annotations)

    @property
    def entity_labels(self) -> set[str]:
        """Return the labels of all gold entities."""
        return {label for gold in self.annotations for _, _, label in gold.entities or ()}

    @property
    def tag_labels(self) -> set[str]:
        """Return all gold tags."""
        return {tag for gold in self.annotations for tag in gold.tags or () if tag}

    @property
    def entity_forms(self) -> set[tuple[str, ...]]:
        """Return the words of every entity; those of train tell seen from unseen entities."""
        return {
            form
            for gold in self.annotations
            for form in entity_words(gold.words, gold.entities or ())
        }

    def where_annotated(self, predicted: Sequence[Annotation]) -> list[Annotation]:
        """Return the predictions that can be scored against this gold, text by text."""
        pairs = zip(self.annotations, predicted, strict=True)
        return [guess.within(truth) for truth, guess in pairs]


def read_corpus(path: Path, make_doc: Callable[[str], Doc]) -> GoldCorpus:
    """Read a .spacy file, or a .txt file of UTF-8 with one text per line, split by ``make_doc``.

    Raises like `read_docs`; for a .txt file ValueError: not UTF-8 (EL304), no words (EL305).
    """
    is_text = path.suffix.lower() == TEXT_SUFFIX
    docs = list(_read_lines(path, make_doc) if is_text else read_docs(path, Vocab()))
    if not docs:
        raise ValueError(Errors.EL305.format(path=path))
    return GoldCorpus(path, _corpus_name(path), docs, [from_doc(doc) for doc in docs])


def check_files(paths: Sequence[Path]) -> None:
    """Raise ValueError (EL304) for a path that is not a file, before anything slow starts."""
    for path in paths:
        if not path.is_file():
            problem = "it is a folder" if path.is_dir() else "there is no such file"
            raise ValueError(Errors.EL304.format(path=path, problem=problem))


def published_figures(gold: GoldCorpus) -> list[PublishedFigures]:
    """Return published figures for this part of this corpus; "test_fixed" counts as "test".

    A slice of a part has none: the number of Docs must match too.
    """
    part = gold.part.partition("_")[0]
    entries = json.loads(PUBLISHED.read_text(encoding="utf8"))
    return [
        PublishedFigures(**entry["figures"])
        for entry in entries
        if (entry["corpus"], entry["part"], entry["n_docs"]) == (gold.corpus, part, len(gold.docs))
    ]


def _read_lines(path: Path, make_doc: Callable[[str], Doc]) -> Iterator[Doc]:
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _split(path, number, line.strip(), make_doc)
    except UnicodeDecodeError as error:
        raise ValueError(Errors.EL304.format(path=path, problem=error)) from error


def _split(path: Path, number: int, line: str, make_doc: Callable[[str], Doc]) -> Doc:
    try:
        return make_doc(line)
    except ValueError as error:  # it is longer than the pipeline takes
        problem = str(error).partition("\n")[0].rstrip(".")
        raise ValueError(
            Errors.EL304.format(path=path, problem=f"line {number}: {problem}")
        ) from error


def _corpus_name(path: Path) -> str | None:
    description = path.with_name("corpus.json")
    if not description.is_file():
        return None
    try:
        data = json.loads(description.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        problem = f"{error}; it only names the corpus, and may be deleted"
        raise ValueError(Errors.EL304.format(path=description, problem=problem)) from error
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None
