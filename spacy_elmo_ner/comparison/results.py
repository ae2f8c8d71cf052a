"""Hold everything that a comparison finds, as dataclasses that convert to JSON and back.

Every share (precision, recall, F1, accuracy, confidence) is a fraction in [0, 1]; only tables turn
it into percent. Give a new field a default, so that files of ``READABLE_VERSIONS`` can still be
read; renaming or removing a field ends support for the versions before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..audit.rows import AuditRow
from ..errors import Errors, shape_problems

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)

# An entity in tokens: first token, one past the last token, label.
LabeledSpan = tuple[int, int, str]


# ---- scores ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """Holds precision, recall and F1 in [0, 1]; support is the number of gold items."""

    precision: float
    recall: float
    f1: float
    support: int
    per_type: dict[str, "Score"] = field(default_factory=dict)

    @classmethod
    def of(cls, right: int, predicted: int, gold: int) -> "Score":
        """Compute the score from counts of items; a share of nothing is 0."""
        precision = right / predicted if predicted else 0.0
        recall = right / gold if gold else 0.0
        f1 = 2 * right / (predicted + gold) if predicted + gold else 0.0
        return cls(precision, recall, f1, gold)


@dataclass(frozen=True)
class Interval:
    """Holds a 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Holds ``first`` minus ``second`` in one metric, by paired bootstrap over texts.

    p_value: two-sided probability of a difference this large if only the choice of texts caused it.
    """

    mode: str
    first: str
    second: str
    difference: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class Agreement:
    """Tells how similarly two pipelines annotate: F1 of one against the other, in either order.

    entities: same words and label; boundaries: same words; None where one sets no entities. tags:
    share of words with the same tag, None where one sets none. ``n_first`` and ``n_second`` count
    the entities of each.
    """

    first: str
    second: str
    entities: float | None
    boundaries: float | None
    n_first: int
    n_second: int
    tags: float | None


@dataclass(frozen=True)
class ReliabilityBin:
    """Sums up predictions with a confidence in [low, high); the last bin includes ``high``."""

    low: float
    high: float
    n: int
    mean_confidence: float
    share_right: float


@dataclass(frozen=True)
class ThresholdPoint:
    """Scores of exact matches if entities less probable than ``threshold`` are dropped.

    A more probable alternative that fits takes the place of a dropped entity.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ThresholdCurve:
    """Holds points from ``own``, the pipeline's threshold, to the last with a right entity."""

    own: float
    points: list[ThresholdPoint]


@dataclass(frozen=True)
class Misaligned:
    """Holds an entity that ends inside a gold word, and the gold words it was widened to.

    ``kept`` is False if the widened span overlapped another entity and was dropped.
    """

    text: int
    label: str
    predicted: str
    gold_words: list[str]
    kept: bool


@dataclass(frozen=True)
class SystemScores:
    """Scores one pipeline on one corpus; the keys of ``ner`` and ``tags`` name metric and mode.

    ``ner`` or ``tags`` is empty where the pipeline or the gold has no such annotation.
    ``unmapped_entities`` and ``unmapped_tags`` count predictions that the label map maps to null:
    such entities are left out, such tags are wrong. ``unreachable_entities`` counts gold entities
    whose label the map never leads to; ``decided_by_gold`` counts predictions whose label may mean
    several gold labels and was read as the one gold has there.

    intervals: by mode. by_sentence_length, by_entity_length: exact matches by number of words.
    conventions: exact matches when one boundary convention is ignored, by its name. type_confusion:
    gold type -> predicted type -> entities, ``confusion.NOTHING`` for none. errors: entities by
    ``confusion.ErrorKind``. tag_confusion: gold tag -> other predicted tag -> words. reliability,
    tag_reliability: entities and words' tags by confidence; calibration_error: "ner" and "tags" ->
    mean gap between confidence and share right; thresholds: None without confidences.
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
    """Holds published figures of others, in percent and with the digits they were printed with."""

    name: str
    reference: str
    ner_mode: str
    ner_f1: float
    ner_per_type_f1: dict[str, float]
    tag_mode: str
    tag_f1: float


@dataclass(frozen=True)
class CorpusResult:
    """Holds all systems on one corpus; ``corpus`` is the name in its corpus.json, if any.

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


# ---- pipelines ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speed:
    """Holds words per second over timed repeats; quote the median."""

    median: float
    lowest: float
    highest: float
    repeats: list[float]
    words_per_repeat: int
    # False if the corpus was too small to give each repeat different text.
    fresh_text: bool


@dataclass(frozen=True)
class PipelineInfo:
    """Describes what ran: package, active components, size on disk, seconds to the first word.

    ``peak_memory_bytes`` is the peak of a process that loaded and ran this pipeline alone.
    """

    name: str
    source: str
    package: str
    version: str
    components: list[str]
    disabled: list[str]
    size_bytes: int
    # Published biLMs that the pipeline refers to by name: bytes outside its folder.
    shared_weights_bytes: dict[str, int] = field(default_factory=dict)
    label_map: str | None = None
    load_seconds: float | None = None
    speed: Speed | None = None
    notes: list[str] = field(default_factory=list)
    peak_memory_bytes: int | None = None

    @property
    def megabytes(self) -> float:
        """Size on disk, with the weights the pipeline shares."""
        return (self.size_bytes + sum(self.shared_weights_bytes.values())) / 1e6


@dataclass(frozen=True)
class Skipped:
    """Names a pipeline that did not run, and says how to get it."""

    name: str
    reason: str


# ---- texts, training, audits ----------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """Holds one text as every system annotates it; ``readings``: system -> its entities."""

    title: str
    words: list[str]
    readings: dict[str, list[LabeledSpan]]


@dataclass(frozen=True)
class LearningPoint:
    """Scores one system trained on ``percent`` of train; None where it sets no such layer."""

    system: str
    percent: float
    ner_f1: float | None
    tag_accuracy: float | None


@dataclass(frozen=True)
class TrainingLog:
    """Holds the curves of a pre-training: loss in nats per token, perplexity by direction.

    ``loss`` holds (tokens read, mean loss since the previous point), ``forward`` and ``backward``
    (tokens read, perplexity), ``learning_rate`` (tokens read, rate), empty if it was not logged.
    """

    name: str
    loss: list[tuple[int, float]]
    forward: list[tuple[int, float]] = field(default_factory=list)
    backward: list[tuple[int, float]] = field(default_factory=list)
    learning_rate: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class ProbableErrors:
    """Holds what `elmo audit` found in corpora by one pipe: ``n_found`` in ``n_docs`` texts.

    ``rows`` holds the most suspicious of them.
    """

    corpus: list[str]
    pipe: str
    n_docs: int
    n_found: int
    rows: list[AuditRow]


# ---- the whole ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Results:
    """Holds a whole comparison: what ran, what was skipped, and the figures by corpus.

    ``training_logs`` comes from version 0.1.0; `elmo curves` draws them now.
    """

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
        """Return indented JSON that `read_results` reads."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def read_results(path: Path) -> Results:
    """Read results.json. Raises FileNotFoundError (EL502) or ValueError (EL301, EL302)."""
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
        expected = " and ".join(str(known) for known in READABLE_VERSIONS)
        raise ValueError(Errors.EL301.format(source=source, version=version, expected=expected))
    try:
        return _adapter().validate_python({**data, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        problem = "; ".join(shape_problems(error))
        raise ValueError(Errors.EL302.format(source=source, problem=problem)) from error


@cache
def _adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)
