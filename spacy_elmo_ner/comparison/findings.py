"""What a comparison finds beyond plain scores, as dataclasses that are JSON and back.

Every share is a fraction in [0, 1], as in ``results``.
"""

from dataclasses import dataclass, field

from ..audit.rows import AuditRow


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """``first`` minus ``second`` under one metric's mode, by paired bootstrap over texts.

    p_value: two-sided, that a difference this large comes about by the choice of texts alone.
    """

    mode: str
    first: str
    second: str
    difference: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class Agreement:
    """How far two pipelines read the same: F1 of one against the other (the order is free).

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
    """Entities, or words, whose confidence lies in [low, high), the last bin with its upper end."""

    low: float
    high: float
    n: int
    mean_confidence: float
    share_right: float


@dataclass(frozen=True)
class ThresholdPoint:
    """Scores by same words and label, where entities less probable than ``threshold`` are dropped.

    What is more probable than that and may stand in the place of a dropped one takes it.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ThresholdCurve:
    """The points from ``own``, the threshold the pipeline ran with, as far up as any is right."""

    own: float
    points: list[ThresholdPoint]


@dataclass(frozen=True)
class ProbableErrors:
    """What `elmo audit` found in annotated corpora by one pipe: ``n_found`` in ``n_docs`` texts.

    ``rows`` holds the first of them, those most probably wrong.
    """

    corpus: list[str]
    pipe: str
    n_docs: int
    n_found: int
    rows: list[AuditRow]


@dataclass(frozen=True)
class Misaligned:
    """An entity whose ends fall inside gold's words, and the gold words it was widened to.

    ``kept`` is False where the widened span met another entity and was dropped.
    """

    text: int
    label: str
    predicted: str
    gold_words: list[str]
    kept: bool


@dataclass(frozen=True)
class LearningPoint:
    """One system trained on ``percent`` of the train part; None where it sets no such layer."""

    system: str
    percent: float
    ner_f1: float | None
    tag_accuracy: float | None


@dataclass(frozen=True)
class TrainingLog:
    """A pre-training's curves: loss in nats a token, held-out perplexity by direction.

    ``loss`` holds (tokens read, mean loss since the point before), ``forward`` and ``backward``
    (tokens read, perplexity), ``learning_rate`` (tokens read, rate), empty where it was not logged.
    """

    name: str
    loss: list[tuple[int, float]]
    forward: list[tuple[int, float]] = field(default_factory=list)
    backward: list[tuple[int, float]] = field(default_factory=list)
    learning_rate: list[tuple[int, float]] = field(default_factory=list)
