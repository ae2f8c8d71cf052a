"""Collect texts as every pipeline annotates them: examples, and one file beside the results.

    {"schema_version": 2, "systems": ["gold", "ours"], "labels": ["geo", "per"], "total": 4768,
     "texts": [{"n": 0, "w": ["In", "Paris"], "r": [[1, 2, 0], 0]}], "chosen": [["Title", 0]]}

A reading is a flat list of start, end, index of the label; 0 means the same as the first system.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..errors import Errors
from .corpora import Annotation, GoldCorpus
from .results import SCHEMA_VERSION, Example, LabeledSpan

# The file's name, beside results.json.
TEXTS = "texts.json"

# A page with more words than this takes a browser seconds to open.
MAX_WORDS = 150_000

# The article shows its readers what spaCy makes of this sentence.
ARTICLE_SENTENCE = "Mr. Azhari told VOA reporter William Eagle"

# In words: longer sentences do not read well side by side.
READABLE_LENGTH = 45

N_DISAGREEMENTS = 5
N_RANDOM = 4
SEED = 2021

GOLD = "gold"

# The annotation of every text of a corpus, by system.
Readings = Mapping[str, Sequence[Annotation]]


@dataclass(frozen=True)
class Text:
    """Holds one text: its number in the corpus (from 0), its words, its entities by system."""

    number: int
    words: list[str]
    readings: dict[str, list[LabeledSpan]]


@dataclass(frozen=True)
class Texts:
    """Holds texts of one corpus; ``total`` is how many it has, ``texts`` those that are kept.

    ``systems`` has "gold" first if there is gold. ``chosen``: (title, index into texts).
    """

    systems: list[str]
    total: int
    texts: list[Text]
    chosen: list[tuple[str, int]] = field(default_factory=list)

    @property
    def has_gold(self) -> bool:
        """Return whether the first system is gold."""
        return self.systems[:1] == [GOLD]

    @property
    def labels(self) -> list[str]:
        """Return the labels of all entities, in alphabetical order."""
        labels = {
            label
            for text in self.texts
            for spans in text.readings.values()
            for _, _, label in spans
        }
        return sorted(labels)

    def examples(self) -> list[Example]:
        """Return the chosen texts, to be shown side by side."""
        return [
            Example(f"{title} (text {text.number + 1:,})", text.words, text.readings)
            for title, text in ((title, self.texts[index]) for title, index in self.chosen)
        ]

    def to_json(self) -> str:
        """Write compact JSON on one line."""
        labels = self.labels
        index = {label: i for i, label in enumerate(labels)}
        data = {
            "schema_version": SCHEMA_VERSION,
            "systems": self.systems,
            "labels": labels,
            "total": self.total,
            "texts": [
                {"n": text.number, "w": text.words, "r": list(_packed(text, self.systems, index))}
                for text in self.texts
            ],
            "chosen": self.chosen,
        }
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def read_texts(path: Path) -> Texts:
    """Read what ``Texts.to_json`` wrote; ValueError (EL320) for anything else."""
    try:
        data = json.loads(path.read_text(encoding="utf8"))
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {data['schema_version']}, not {SCHEMA_VERSION}")
        systems, labels = data["systems"], data["labels"]
        texts = [
            {
                "number": text["n"],
                "words": text["w"],
                "readings": _unpacked(text["r"], systems, labels),
            }
            for text in data["texts"]
        ]
        result = TypeAdapter(Texts).validate_python(
            {"systems": systems, "total": data["total"], "texts": texts, "chosen": data["chosen"]}
        )
        if not all(0 <= index < len(result.texts) for _, index in result.chosen):
            raise ValueError(f"it chooses texts that it does not hold: {result.chosen}")
        return result
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(Errors.EL320.format(path=path, problem=repr(error))) from error


def _packed(
    text: Text, systems: Sequence[str], index: Mapping[str, int]
) -> Iterator[list[int] | int]:
    first = text.readings[systems[0]] if systems else []
    for place, name in enumerate(systems):
        spans = text.readings[name]
        if place > 0 and spans == first:
            yield 0
        else:
            yield [value for start, end, label in spans for value in (start, end, index[label])]


def _unpacked(
    packed: Sequence[Any], systems: Sequence[str], labels: Sequence[str]
) -> dict[str, list[LabeledSpan]]:
    readings: dict[str, list[LabeledSpan]] = {}
    for name, flat in zip(systems, packed, strict=True):
        flat = packed[0] if flat == 0 else flat
        readings[name] = [
            (flat[i], flat[i + 1], labels[flat[i + 2]]) for i in range(0, len(flat), 3)
        ]
    return readings


# ---- all texts of a corpus ------------------------------------------------------------------


def collect_texts(gold: GoldCorpus, readings: Readings) -> Texts:
    """Collect the texts of a corpus as annotated by every pipeline that sets entities.

    Of a corpus with more than ``MAX_WORDS`` words, those texts are kept on which gold and the
    pipelines differ most.
    """
    layers = _with_entities(readings)
    if gold.has_entities:
        layers = {GOLD: gold.annotations, **layers}
    distances = [
        disagreement([annotations[index] for annotations in layers.values()])
        for index in range(len(gold.annotations))
    ]
    kept = sorted(_within_limit(gold, distances))
    texts = [
        Text(
            number,
            gold.annotations[number].words,
            {
                name: list(annotations[number].entities or ())
                for name, annotations in layers.items()
            },
        )
        for number in kept
    ]
    chosen = _chosen(gold, kept, distances) if layers else []
    return Texts(list(layers), len(gold.annotations), texts, chosen)


def _with_entities(readings: Readings) -> dict[str, Sequence[Annotation]]:
    return {
        name: annotations
        for name, annotations in readings.items()
        if annotations and annotations[0].entities is not None
    }


def _within_limit(gold: GoldCorpus, distances: Sequence[int]) -> Iterator[int]:
    order: Sequence[int] = range(len(distances))
    if gold.n_words > MAX_WORDS:
        order = sorted(order, key=lambda index: -distances[index])
    n_words = 0
    for index in order:
        n_words += len(gold.annotations[index].words)
        if n_words > MAX_WORDS:
            return
        if gold.annotations[index].words:
            yield index


def _chosen(
    gold: GoldCorpus, kept: Sequence[int], distances: Sequence[int]
) -> list[tuple[str, int]]:
    """Choose the article's sentence if it is there, the largest disagreements, some at random."""
    position = {number: index for index, number in enumerate(kept)}
    readable = [n for n in kept if len(gold.annotations[n].words) <= READABLE_LENGTH]
    chosen: dict[int, str] = {}
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None and article[1] in position:
        chosen[article[1]] = "The article's own example"
    by_distance = sorted(readable, key=lambda number: -distances[number])
    for number in by_distance[:N_DISAGREEMENTS]:
        if distances[number] > 0:
            chosen.setdefault(number, "A large disagreement")
    rest = [number for number in readable if number not in chosen]
    for number in random.Random(SEED).sample(rest, min(N_RANDOM, len(rest))):
        chosen[number] = "Drawn at random"
    return [(title, position[number]) for number, title in chosen.items()]


# ---- a few examples -------------------------------------------------------------------------


def find_examples(
    asked: Sequence[str],
    corpora: Sequence[GoldCorpus],
    readings: Sequence[Readings],
    annotate: Callable[[str], Mapping[str, Annotation]],
) -> list[Example]:
    """Find the texts that start with the words asked for, else one of the first corpus.

    readings: by corpus. A text that no corpus has goes to ``annotate``, which gives each system's
    annotation of it. Only pipelines that set entities are shown.
    """
    layers = [_with_entities(of_corpus) for of_corpus in readings]
    if not layers[0]:
        return []

    def of_corpus(which: int, index: int, title: str) -> Example:
        guesses = {name: annotations[index] for name, annotations in layers[which].items()}
        gold = corpora[which].annotations[index] if corpora[which].has_entities else None
        return side_by_side(title, gold, guesses)

    if not asked:
        return [of_corpus(0, *default_example(corpora[0], list(layers[0].values())))]
    examples = []
    for text in asked:
        place = find_text(corpora, text)
        if place is not None:
            which, index = place
            title = f"Sentence {index + 1} of {corpora[which].part}"
            examples.append(of_corpus(which, index, title))
        else:
            guesses = {name: guess for name, guess in annotate(text).items() if name in layers[0]}
            examples.append(side_by_side("A text without gold annotation", None, guesses))
    return examples


def find_text(corpora: Sequence[GoldCorpus], text: str) -> tuple[int, int] | None:
    """Find (corpus, Doc) of the first Doc that starts with this text, ignoring white space."""
    start = "".join(text.split())
    for which, gold in enumerate(corpora):
        for index, annotation in enumerate(gold.annotations):
            if "".join("".join(annotation.words).split()).startswith(start):
                return which, index
    return None


def default_example(gold: GoldCorpus, systems: Sequence[Sequence[Annotation]]) -> tuple[int, str]:
    """Choose the index and title of the example that is shown if the user names none."""
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None:
        return article[1], "The article's own example"
    layers = [gold.annotations, *systems] if gold.has_entities else systems
    return largest_disagreement(layers), "The largest disagreement"


def largest_disagreement(layers: Sequence[Sequence[Annotation]]) -> int:
    """Find the text that gold (if there is any) and the pipelines annotate most differently.

    Texts longer than ``READABLE_LENGTH`` words count only if all are longer.
    """
    lengths = [len(annotation.words) for annotation in layers[0]]
    indices = [i for i, length in enumerate(lengths) if 0 < length <= READABLE_LENGTH]
    return max(
        indices or range(len(lengths)),
        key=lambda index: disagreement([annotations[index] for annotations in layers]),
    )


def disagreement(readings: Sequence[Annotation]) -> int:
    """Count entities that only one of two readings has, summed over all pairs of readings."""
    spans = [set(reading.entities or ()) for reading in readings]
    return sum(len(first ^ second) for first, second in combinations(spans, 2))


def side_by_side(
    title: str, gold: Annotation | None, readings: Mapping[str, Annotation]
) -> Example:
    """Build an example from gold (None for a text without) and each pipeline's reading."""
    words = next(iter(readings.values())).words if gold is None else gold.words
    entities = {name: list(reading.entities or ()) for name, reading in readings.items()}
    if gold is not None:
        entities = {GOLD: list(gold.entities or ()), **entities}
    return Example(title, words, entities)
