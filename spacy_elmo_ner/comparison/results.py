"""What a comparison found, as dataclasses that are JSON and back.

Every share (precision, recall, F1, accuracy) is a fraction in [0, 1]; percent is made only where
a table is printed. A new field needs a default here; a renamed or removed one needs a new
``SCHEMA_VERSION``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..elmo.storage import replace_when_written
from ..errors import Errors

SCHEMA_VERSION = 1

# A span in tokens: first token, one past the last token, label.
EntitySpan = tuple[int, int, str]


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 in [0, 1]; support is the number of gold items."""

    precision: float
    recall: float
    f1: float
    support: int
    per_type: dict[str, "Score"] = field(default_factory=dict)


@dataclass(frozen=True)
class Speed:
    """Words per second over timed repeats; the median is the figure to quote."""

    median: float
    lowest: float
    highest: float
    repeats: list[float]
    words_per_repeat: int
    # False where the corpus was too small to give each repeat text of its own.
    fresh_text: bool


@dataclass(frozen=True)
class PipelineInfo:
    """What ran: the package, the components left on, size on disk, seconds to a first word."""

    name: str
    source: str
    package: str
    version: str
    components: list[str]
    disabled: list[str]
    size_bytes: int
    # Published biLMs the pipeline refers to by name: bytes that its folder does not hold.
    shared_weights_bytes: dict[str, int] = field(default_factory=dict)
    label_map: str | None = None
    load_seconds: float | None = None
    speed: Speed | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Skipped:
    """A pipeline that did not run, and the line that says how to get it."""

    name: str
    reason: str


@dataclass(frozen=True)
class SystemScores:
    """One pipeline on one corpus. The keys of ``ner`` and ``tags`` name the metric's mode.

    ``ner`` or ``tags`` is empty where the pipeline or the gold has no such annotation.
    ``unmapped_entities`` and ``unmapped_tags`` count predictions the label map sends nowhere:
    those entities are left out, those tags count as wrong.
    """

    pipeline: str
    ner: dict[str, Score] = field(default_factory=dict)
    tags: dict[str, Score] = field(default_factory=dict)
    unmapped_entities: dict[str, int] = field(default_factory=dict)
    unmapped_tags: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedFigures:
    """Somebody's printed figures, in percent and with the digits they were printed with."""

    name: str
    reference: str
    ner_mode: str
    ner_f1: float
    ner_per_type_f1: dict[str, float]
    tag_mode: str
    tag_f1: float


@dataclass(frozen=True)
class Example:
    """One text with every reading of it: ``readings`` maps a system's name to its entities."""

    title: str
    words: list[str]
    readings: dict[str, list[EntitySpan]]


@dataclass(frozen=True)
class CorpusResult:
    """All systems on one gold corpus; ``corpus`` is the name its maker gave it, if any."""

    path: str
    corpus: str | None
    part: str
    n_docs: int
    n_words: int
    n_entities: int
    systems: list[SystemScores]
    published: list[PublishedFigures] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """A whole comparison: what ran, what was skipped, and the figures by corpus."""

    created: str
    environment: dict[str, str]
    pipelines: list[PipelineInfo]
    skipped: list[Skipped]
    corpora: list[CorpusResult]
    examples: list[Example] = field(default_factory=list)
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def results_from_json(data: Mapping[str, Any]) -> Results:
    """Build ``Results`` from parsed JSON; ValueError (EL301) on another schema or shape."""
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ValueError(Errors.EL301.format(version=version, expected=SCHEMA_VERSION))
    try:
        return Results(
            created=data["created"],
            environment=dict(data["environment"]),
            pipelines=[_pipeline(entry) for entry in data["pipelines"]],
            skipped=[Skipped(**entry) for entry in data["skipped"]],
            corpora=[_corpus(entry) for entry in data["corpora"]],
            examples=[_example(entry) for entry in data["examples"]],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(Errors.EL302.format(error=error)) from error


def _score(data: Mapping[str, Any]) -> Score:
    per_type = {label: _score(score) for label, score in data.get("per_type", {}).items()}
    return Score(**{**data, "per_type": per_type})


def _pipeline(data: Mapping[str, Any]) -> PipelineInfo:
    speed = data.get("speed")
    return PipelineInfo(**{**data, "speed": Speed(**speed) if speed else None})


def _system(data: Mapping[str, Any]) -> SystemScores:
    ner = {mode: _score(score) for mode, score in data.get("ner", {}).items()}
    tags = {mode: _score(score) for mode, score in data.get("tags", {}).items()}
    return SystemScores(**{**data, "ner": ner, "tags": tags})


def _example(data: Mapping[str, Any]) -> Example:
    # JSON has no tuples.
    readings = {
        name: [(int(start), int(end), str(label)) for start, end, label in spans]
        for name, spans in data["readings"].items()
    }
    return Example(data["title"], list(data["words"]), readings)


def _corpus(data: Mapping[str, Any]) -> CorpusResult:
    return CorpusResult(
        **{
            **data,
            "systems": [_system(entry) for entry in data["systems"]],
            "published": [PublishedFigures(**entry) for entry in data.get("published", [])],
        }
    )


def write_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text under a temporary name in the same folder, then rename it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")
