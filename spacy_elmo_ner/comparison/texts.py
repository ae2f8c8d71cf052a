"""Collect texts as every pipeline annotates them, in one compact file beside the results.

    {"schema_version": 2, "systems": ["gold", "ours"], "labels": ["geo", "per"], "total": 4768,
     "texts": [{"n": 0, "w": ["In", "Paris"], "r": [[1, 2, 0], 0]}], "chosen": [["Title", 0]]}

A reading is a flat list of start, end, index of the label; 0 means the same as the first system.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..errors import Errors
from .corpora import GoldCorpus
from .examples import GOLD, Readings, choose_examples, disagreement, with_entities
from .results import SCHEMA_VERSION, Example, LabeledSpan

# The file's name, beside results.json.
TEXTS = "texts.json"

# A page with more words than this takes a browser seconds to open.
MAX_WORDS = 150_000


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


# ---- the texts of a corpus ------------------------------------------------------------------


def collect_texts(gold: GoldCorpus, readings: Readings) -> Texts:
    """Collect the texts of a corpus as annotated by every pipeline that sets entities.

    Of a corpus with more than ``MAX_WORDS`` words, those texts are kept on which gold and the
    pipelines differ most.
    """
    layers = with_entities(readings)
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
    chosen = choose_examples(gold, kept, distances) if layers else []
    return Texts(list(layers), len(gold.annotations), texts, chosen)


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
