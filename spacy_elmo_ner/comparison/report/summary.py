"""Build the first table of the report: one row per pipeline, the best of each column marked."""

from collections.abc import Callable
from typing import NamedTuple

from ..breakdowns import UNSEEN
from ..metrics import SEQEVAL_DEFAULT, TAG_ACCURACY
from ..results import CorpusResult, PipelineInfo, Results, SystemScores
from ..tables import NOTHING, percent, percent_range

# A difference with a larger p-value than this may be chance.
SIGNIFICANT = 0.05

BEST, TIED = "best", "tied"


class Cell(NamedTuple):
    """Holds a value; ``mark`` is "best", "tied" (not told from the best by these texts) or ""."""

    text: str
    note: str = ""
    mark: str = ""


class SummaryRow(NamedTuple):
    """Holds the figures of one pipeline, or somebody's published ones."""

    name: str
    cells: list[Cell]


class Summary(NamedTuple):
    """Holds the rows; ``header`` has one title per cell, the rows' names come before the cells."""

    header: list[str]
    rows: list[SummaryRow]


class _Column(NamedTuple):
    """Describes a column; ``mode``: the metric whose interval and differences belong to it."""

    title: str
    value: Callable[[SystemScores, PipelineInfo], float | None]
    text: Callable[[float], str]
    lower_is_better: bool = False
    mode: str | None = None


def _share(mode: str, layer: str) -> Callable[[SystemScores, PipelineInfo], float | None]:
    def value(system: SystemScores, info: PipelineInfo) -> float | None:
        score = (system.ner if layer == "ner" else system.tags).get(mode)
        return None if score is None else score.f1

    return value


_COLUMNS = (
    _Column("Entities, F1", _share(SEQEVAL_DEFAULT, "ner"), percent, mode=SEQEVAL_DEFAULT),
    _Column("Unseen entities, F1", _share(UNSEEN, "ner"), percent),
    _Column("Tags, accuracy", _share(TAG_ACCURACY, "tags"), percent, mode=TAG_ACCURACY),
    _Column(
        "Words per second",
        lambda system, info: info.speed.median if info.speed else None,
        lambda value: f"{value:,.0f}",
    ),
    _Column(
        "Memory, MB",
        lambda system, info: info.peak_memory_bytes / 1e6 if info.peak_memory_bytes else None,
        lambda value: f"{value:,.0f}",
        lower_is_better=True,
    ),
    _Column(
        "On disk, MB",
        lambda system, info: info.megabytes,
        lambda value: f"{value:,.1f}",
        lower_is_better=True,
    ),
    _Column(
        "To load, s",
        lambda system, info: info.load_seconds,
        lambda value: f"{value:.1f}",
        lower_is_better=True,
    ),
)


def summarise(results: Results) -> Summary:
    """Summarise scores on the first corpus, and costs; columns without any value are left out."""
    corpus = results.corpora[0]
    infos = {info.name: info for info in results.pipelines}
    columns = []
    for column in _COLUMNS:
        values = {
            system.pipeline: column.value(system, infos[system.pipeline])
            for system in corpus.systems
        }
        if any(value is not None for value in values.values()):
            columns.append((column, values))
    rows = [
        SummaryRow(
            system.pipeline, [_cell(corpus, column, values, system) for column, values in columns]
        )
        for system in corpus.systems
    ]
    for figures in corpus.published:
        printed = {figures.ner_mode: figures.ner_f1, figures.tag_mode: figures.tag_f1}
        cells = [
            Cell(f"{printed[column.mode]:g}" if column.mode in printed else NOTHING)
            for column, _ in columns
        ]
        rows.append(SummaryRow(f"{figures.name} (published)", cells))
    return Summary([column.title for column, _ in columns], rows)


def _cell(
    corpus: CorpusResult, column: _Column, values: dict[str, float | None], system: SystemScores
) -> Cell:
    value = values[system.pipeline]
    if value is None:
        return Cell(NOTHING)
    note = ""
    if column.mode is not None and column.mode in system.intervals:
        note = percent_range(system.intervals[column.mode])
    known = {name: number for name, number in values.items() if number is not None}
    choose = min if column.lower_is_better else max
    best = choose(known.values())
    mark = ""
    # A single value is not better than any other.
    if len(known) > 1 and value == best:
        mark = BEST
    elif column.mode is not None:
        winners = {name for name, number in known.items() if number == best}
        tied = any(
            {pair.first, pair.second} == {system.pipeline, winner}
            and pair.mode == column.mode
            and pair.p_value > SIGNIFICANT
            for pair in corpus.differences
            for winner in winners
        )
        mark = TIED if tied else ""
    return Cell(column.text(value), note, mark)
