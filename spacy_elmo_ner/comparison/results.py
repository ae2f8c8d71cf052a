"""What a comparison found, as dataclasses that are JSON and back.

Every share (precision, recall, F1, accuracy) is a fraction in [0, 1]; percent is made only where
a table is printed. A new field needs a default here, so that files of ``READABLE_VERSIONS`` can
be read; a renamed or removed one ends that for the versions before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import Errors
from ..files import write_text as write_atomically  # noqa: F401
from .findings import (
    Agreement,
    Difference,
    Interval,
    LearningPoint,
    Misaligned,
    ProbableErrors,
    ReliabilityBin,
    ThresholdCurve,
    TrainingLog,
)

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)

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
    """What ran: the package, the components left on, size on disk, seconds to a first word.

    ``peak_memory_bytes`` is the most a whole process held that loaded and ran this pipeline alone.
    """

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
    peak_memory_bytes: int | None = None


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
    those entities are left out, those tags count as wrong. ``unreachable_entities`` counts gold's
    entities of labels the map never leads to, ``decided_by_gold`` predictions whose label could
    mean several of gold's and was read as the one that gold has there.

    intervals: by mode. by_sentence_length, by_entity_length: exact matches by number of words.
    conventions: exact matches with one boundary convention aside, by its name. type_confusion:
    gold type -> predicted type -> entities, ``confusion.NOTHING`` for none. errors: entities by
    ``confusion.ErrorKind``. tag_confusion: gold tag -> other predicted tag -> words. reliability,
    tag_reliability: of entities and of words' tags by confidence; calibration_error: "ner" and
    "tags" -> mean gap between confidence and share right; thresholds: None without confidences.
    """

    pipeline: str
    ner: dict[str, Score] = field(default_factory=dict)
    tags: dict[str, Score] = field(default_factory=dict)
    unmapped_entities: dict[str, int] = field(default_factory=dict)
    unmapped_tags: dict[str, int] = field(default_factory=dict)
    unreachable_entities: dict[str, int] = field(default_factory=dict)
    decided_by_gold: dict[str, int] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    by_sentence_length: dict[str, Score] = field(default_factory=dict)
    by_entity_length: dict[str, Score] = field(default_factory=dict)
    conventions: dict[str, Score] = field(default_factory=dict)
    type_confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    tag_confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    reliability: list[ReliabilityBin] = field(default_factory=list)
    tag_reliability: list[ReliabilityBin] = field(default_factory=list)
    calibration_error: dict[str, float] = field(default_factory=dict)
    thresholds: ThresholdCurve | None = None
    misaligned: list[Misaligned] = field(default_factory=list)


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
    """All systems on one corpus; ``corpus`` is the name its maker gave it, if any.

    Without gold (``has_gold`` False) there are no scores, only the agreement between pipelines.
    """

    path: str
    corpus: str | None
    part: str
    n_docs: int
    n_words: int
    n_entities: int
    systems: list[SystemScores]
    published: list[PublishedFigures] = field(default_factory=list)
    has_gold: bool = True
    differences: list[Difference] = field(default_factory=list)
    agreement: list[Agreement] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """A whole comparison: what ran, what was skipped, and the figures by corpus."""

    created: str
    environment: dict[str, str]
    pipelines: list[PipelineInfo]
    skipped: list[Skipped]
    corpora: list[CorpusResult]
    examples: list[Example] = field(default_factory=list)
    learning_curve: list[LearningPoint] = field(default_factory=list)
    training_logs: list[TrainingLog] = field(default_factory=list)
    probable_errors: list[ProbableErrors] = field(default_factory=list)
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def read_results(path: Path) -> Results:
    """Read results.json. Raises FileNotFoundError (EL502), or ValueError (EL301, EL302)."""
    if not path.is_file():
        raise FileNotFoundError(Errors.EL502.format(path=path))
    try:
        data = json.loads(path.read_text(encoding="utf8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(Errors.EL302.format(source=path, problem=error)) from error
    return results_from_json(data, path)


def results_from_json(data: Any, source: str | Path = "What was given") -> Results:
    """Build ``Results`` from parsed JSON; ValueError (EL301, EL302) on another schema or shape."""
    if not isinstance(data, Mapping):
        problem = f"it holds a {type(data).__name__}, not an object"
        raise ValueError(Errors.EL302.format(source=source, problem=problem))
    version = data.get("schema_version")
    if version not in READABLE_VERSIONS:
        expected = " and ".join(str(each) for each in READABLE_VERSIONS)
        raise ValueError(Errors.EL301.format(source=source, version=version, expected=expected))
    try:
        return _results_adapter().validate_python({**data, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        problem = "; ".join(shape_problems(error))
        raise ValueError(Errors.EL302.format(source=source, problem=problem)) from error


def shape_problems(error: ValidationError) -> list[str]:
    """Where data has not the shape it should have, and what is wrong there."""
    return [
        ".".join(str(step) for step in each["loc"]) + ": " + each["msg"] for each in error.errors()
    ]


@cache
def _results_adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)
