"""The table a reader sees first: a row a pipeline, the best of each column marked."""

from collections.abc import Callable
from dataclasses import dataclass

from ..breakdown import UNSEEN
from ..detail import percent
from ..metrics import SEQEVAL_DEFAULT, TAG_ACCURACY
from ..results import CorpusResult, PipelineInfo, Results, SystemScores
from ..table import NOTHING

# A difference with a larger p than this may be chance.
SIGNIFICANT = 0.05

BEST, TIED = "best", "tied"


@dataclass(frozen=True)
class Cell:
    """``mark``: "best", "tied" (not to be told from the best by these texts), or nothing."""

    text: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class SummaryRow:
    """One pipeline, or somebody's published figures."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Summary:
    """``header`` has one title a cell; the rows' names stand before it."""

    header: list[str]
    rows: list[SummaryRow]


@dataclass(frozen=True)
class _Column:
    """``mode``: the metric whose interval and differences belong to this column, if any."""

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


def _megabytes(info: PipelineInfo) -> float:
    return (info.size_bytes + sum(info.shared_weights_bytes.values())) / 1e6


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
        lambda system, info: _megabytes(info),
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
    """The first corpus' scores and the costs; columns nobody has a value for are left out."""
    corpus = results.corpora[0]
    infos = {info.name: info for info in results.pipelines}
    columns = []
    for column in _COLUMNS:
        values = {
            each.pipeline: column.value(each, infos[each.pipeline]) for each in corpus.systems
        }
        if any(value is not None for value in values.values()):
            columns.append((column, values))
    rows = [
        SummaryRow(
            each.pipeline, [_cell(corpus, column, values, each) for column, values in columns]
        )
        for each in corpus.systems
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
        interval = system.intervals[column.mode]
        note = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"
    known = {name: each for name, each in values.items() if each is not None}
    choose = min if column.lower_is_better else max
    best = choose(known.values())
    mark = ""
    # One alone has nobody to be better than.
    if len(known) > 1 and value == best:
        mark = BEST
    elif column.mode is not None:
        winners = {name for name, each in known.items() if each == best}
        tied = any(
            {each.first, each.second} == {system.pipeline, winner}
            and each.mode == column.mode
            and each.p_value > SIGNIFICANT
            for each in corpus.differences
            for winner in winners
        )
        mark = TIED if tied else ""
    return Cell(column.text(value), note, mark)
