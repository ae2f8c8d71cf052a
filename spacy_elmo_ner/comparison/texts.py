"""The texts of a comparison with every reading of them, as one compact file beside the results.

    {"schema_version": 2, "systems": ["gold", "ours"], "labels": ["geo", "per"], "total": 4768,
     "texts": [{"n": 0, "w": ["In", "Paris"], "r": [[1, 2, 0], 0]}], "chosen": [["Title", 0]]}

A reading is a flat list of start, end, index of the label; 0 stands for "as the first system".
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..errors import Errors
from .annotation import Annotation
from .examples import ARTICLE_SENTENCE, GOLD, READABLE_LENGTH, disagreement, find_text
from .gold import GoldCorpus
from .results import SCHEMA_VERSION, EntitySpan, Example

# The file's name, beside results.json.
TEXTS = "texts.json"

# A page with more words than this takes a browser seconds to open.
MAX_WORDS = 150_000

N_DISAGREEMENTS = 5
N_RANDOM = 4
SEED = 2021


@dataclass(frozen=True)
class Text:
    """One text: its number in the corpus (from 0), its words, and its entities by system."""

    number: int
    words: list[str]
    readings: dict[str, list[EntitySpan]]


@dataclass(frozen=True)
class Texts:
    """Texts of one corpus; ``total`` is how many it has, ``texts`` what is kept of them.

    ``systems`` has "gold" first where there is gold. ``chosen``: (title, index into texts).
    """

    systems: list[str]
    total: int
    texts: list[Text]
    chosen: list[tuple[str, int]] = field(default_factory=list)

    @property
    def has_gold(self) -> bool:
        return self.systems[:1] == [GOLD]

    @property
    def labels(self) -> list[str]:
        found = {
            label
            for text in self.texts
            for spans in text.readings.values()
            for _, _, label in spans
        }
        return sorted(found)

    def examples(self) -> list[Example]:
        """The chosen texts, to be shown side by side."""
        return [
            Example(f"{title} (text {text.number + 1:,})", text.words, text.readings)
            for title, text in ((title, self.texts[index]) for title, index in self.chosen)
        ]

    def to_json(self) -> str:
        """Compact JSON on one line."""
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


def collect_texts(gold: GoldCorpus, readings: Mapping[str, Sequence[Annotation]]) -> Texts:
    """The texts of a corpus as read by every pipeline that sets entities.

    Where the corpus has more than ``MAX_WORDS`` words, those texts are kept on which the pipelines
    differ most, from gold and from each other.
    """
    readers = {
        name: each for name, each in readings.items() if each and each[0].entities is not None
    }
    with_gold = any(each.entities is not None for each in gold.annotations)
    layers = {GOLD: gold.annotations, **readers} if with_gold else readers
    distances = [
        disagreement([each[index] for each in layers.values()])
        for index in range(len(gold.annotations))
    ]
    kept = sorted(_within_limit(gold, distances))
    texts = [
        Text(
            number,
            gold.annotations[number].words,
            {name: list(each[number].entities or ()) for name, each in layers.items()},
        )
        for number in kept
    ]
    chosen = _chosen(gold, kept, distances) if layers else []
    return Texts(list(layers), len(gold.annotations), texts, chosen)


def read_texts(path: Path) -> Texts:
    """Read what ``Texts.to_json`` wrote; ValueError (EL320) for anything else."""
    try:
        data = json.loads(path.read_text(encoding="utf8"))
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {data['schema_version']}, not {SCHEMA_VERSION}")
        systems, labels = data["systems"], data["labels"]
        texts = [
            {
                "number": each["n"],
                "words": each["w"],
                "readings": _unpacked(each["r"], systems, labels),
            }
            for each in data["texts"]
        ]
        found = TypeAdapter(Texts).validate_python(
            {"systems": systems, "total": data["total"], "texts": texts, "chosen": data["chosen"]}
        )
        if not all(0 <= index < len(found.texts) for _, index in found.chosen):
            raise ValueError(f"it chooses texts that it does not hold: {found.chosen}")
        return found
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(Errors.EL320.format(path=path, problem=repr(error))) from error


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
    """The article's sentence where it is, then the largest disagreements, then some at random."""
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


def _packed(
    text: Text, systems: Sequence[str], index: Mapping[str, int]
) -> Iterator[list[int] | int]:
    first = text.readings[systems[0]] if systems else []
    for place, name in enumerate(systems):
        spans = text.readings[name]
        if place > 0 and spans == first:
            yield 0
        else:
            yield [each for start, end, label in spans for each in (start, end, index[label])]


def _unpacked(
    packed: Sequence[Any], systems: Sequence[str], labels: Sequence[str]
) -> dict[str, list[EntitySpan]]:
    readings: dict[str, list[EntitySpan]] = {}
    for name, flat in zip(systems, packed, strict=True):
        flat = packed[0] if flat == 0 else flat
        readings[name] = [
            (flat[i], flat[i + 1], labels[flat[i + 2]]) for i in range(0, len(flat), 3)
        ]
    return readings
