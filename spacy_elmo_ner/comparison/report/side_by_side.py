"""Chosen texts as displaCy draws them, one reading under the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from spacy import displacy

from ..examples import GOLD
from ..results import EntitySpan, Example

N_TINTS = 10

_ENTITY = '<mark style="--tint: {bg}">{text}<span class="label">{label}</span></mark>'


@dataclass(frozen=True)
class Drawn:
    """One system's reading as HTML; ``right`` is None for gold itself and without gold."""

    name: str
    html: str
    right: bool | None


@dataclass(frozen=True)
class DrawnExample:
    """One text, every reading of it in the order of the systems."""

    title: str
    readings: list[Drawn]


def tints(labels: Sequence[str]) -> dict[str, str]:
    """A CSS colour for each label, from the style sheet's tints."""
    return {label: f"var(--tint-{index % N_TINTS})" for index, label in enumerate(sorted(labels))}


def draw_example(example: Example, colors: Mapping[str, str]) -> DrawnExample:
    """Every reading of one text."""
    gold = example.readings.get(GOLD)
    return DrawnExample(
        example.title,
        [
            Drawn(
                name,
                _render(example.words, spans, colors),
                None if gold is None or name == GOLD else set(spans) == set(gold),
            )
            for name, spans in example.readings.items()
        ],
    )


def _render(words: Sequence[str], spans: Sequence[EntitySpan], colors: Mapping[str, str]) -> str:
    starts, position = [], 0
    for word in words:
        starts.append(position)
        position += len(word) + 1
    ents = [
        {
            "start": starts[start],
            "end": starts[end - 1] + len(words[end - 1]),
            "label": label,
            # displaCy escapes the text but not the label.
            "params": {"label": escape(label)},
        }
        for start, end, label in sorted(spans)
    ]
    return displacy.render(
        {"text": " ".join(words), "ents": ents, "title": None},
        style="ent",
        manual=True,
        jupyter=False,
        options={"colors": dict(colors), "template": _ENTITY},
    )
