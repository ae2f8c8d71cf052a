"""Build the main tables of a comparison as plain rows, which every output prints the same."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .breakdowns import SEEN, UNSEEN
from .metrics import NERVALUATE, SCORER, SEQEVAL_DEFAULT, SEQEVAL_STRICT, TAG_ACCURACY, TAG_PADDED
from .results import CorpusResult, Difference, Interval, PipelineInfo, Results, Score

NOTHING = "-"

DIFFERENCES = "Differences, with paired bootstrap over texts"

# Column titles of the modes, in the order they are shown; the keys are those of the JSON.
NER_TITLES = {
    SEQEVAL_DEFAULT: "F1",
    SEQEVAL_STRICT: "seqeval strict",
    SCORER: "Scorer",
    NERVALUATE["partial"]: "partial",
    NERVALUATE["ent_type"]: "type",
    NERVALUATE["exact"]: "exact",
    SEEN: "seen",
    UNSEEN: "unseen",
}
TAG_TITLES = {TAG_ACCURACY: "tag acc.", TAG_PADDED: "POS padded"}


@dataclass(frozen=True)
class Table:
    """Holds a title, a header and rows as long as it; all but ``text_columns`` are figures."""

    title: str
    header: list[str]
    rows: list[list[str]]
    text_columns: frozenset[int] = frozenset({0})


# ---- cells ----------------------------------------------------------------------------------


def percent(share: float | None) -> str:
    """Format a share as percent with two digits; None is a dash."""
    return NOTHING if share is None else f"{100 * share:.2f}"


def percent_f1(score: Score | None) -> str:
    """Format F1 as percent; None is a dash."""
    return percent(None if score is None else score.f1)


def percent_range(interval: Interval | None) -> str:
    """Format an interval as percent with one digit; None is a dash."""
    if interval is None:
        return NOTHING
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def spread(fractions: Sequence[float]) -> str:
    """Format mean and standard deviation in percent; one value alone, and a dash for none."""
    if not fractions:
        return NOTHING
    mean = f"{100 * statistics.mean(fractions):.2f}"
    return f"{mean} ± {100 * statistics.stdev(fractions):.2f}" if len(fractions) > 1 else mean


def _prf(score: Score | None) -> list[str]:
    if score is None:
        return [NOTHING] * 3
    return [percent(score.precision), percent(score.recall), percent(score.f1)]


# ---- one corpus -----------------------------------------------------------------------------


def corpus_title(corpus: CorpusResult) -> str:
    """Describe name, part and size of a corpus on one line."""
    name = f"{corpus.corpus}, {corpus.part}" if corpus.corpus else corpus.part
    known = f"{corpus.n_entities:,} entities" if corpus.has_gold else "no gold"
    return f"{name}: {corpus.n_docs:,} texts, {corpus.n_words:,} words, {known}"


def main_tables(corpus: CorpusResult) -> list[Table]:
    """Return the tables shown first: accuracy, types, differences; without gold the agreement."""
    if corpus.has_gold:
        tables = [accuracy_table(corpus), type_table(corpus), difference_table(corpus)]
    else:
        tables = [agreement_table(corpus)]
    return [table for table in tables if table is not None]


def accuracy_table(corpus: CorpusResult) -> Table:
    """Build one row per pipeline or set of published figures, one column per metric in use."""
    ner_modes = _used(NER_TITLES, (system.ner for system in corpus.systems))
    tag_modes = _used(TAG_TITLES, (system.tags for system in corpus.systems))
    # seqeval's default is the F1 beside its P and R.
    others = [mode for mode in ner_modes if mode != SEQEVAL_DEFAULT]
    with_interval = any(SEQEVAL_DEFAULT in system.intervals for system in corpus.systems)
    titles = [NER_TITLES[mode] for mode in others] + [TAG_TITLES[mode] for mode in tag_modes]
    rows = []
    for system in corpus.systems:
        cells = [percent_f1(system.ner.get(mode)) for mode in others]
        cells += [percent_f1(system.tags.get(mode)) for mode in tag_modes]
        if with_interval:
            cells.insert(0, percent_range(system.intervals.get(SEQEVAL_DEFAULT)))
        rows.append([system.pipeline, *_prf(system.ner.get(SEQEVAL_DEFAULT)), *cells])
    for figures in corpus.published:
        printed = {figures.ner_mode: figures.ner_f1, figures.tag_mode: figures.tag_f1}
        shown = [SEQEVAL_DEFAULT, *others, *tag_modes]
        cells = [f"{printed[mode]:g}" if mode in printed else NOTHING for mode in shown]
        if with_interval:
            cells.insert(1, NOTHING)
        rows.append([f"{figures.name} (published)", NOTHING, NOTHING, *cells])
    interval = ["95 %"] if with_interval else []
    return Table("Accuracy", ["", "P", "R", "F1", *interval, *titles], rows)


def _used(titles: Mapping[str, str], scores: Iterable[Mapping[str, Score]]) -> list[str]:
    taken = {mode for by_mode in scores for mode in by_mode}
    return [mode for mode in titles if mode in taken]


def type_support(corpus: CorpusResult) -> dict[str, int]:
    """Map each entity type, in alphabetical order, to its number of entities in gold."""
    support: dict[str, int] = {}
    for system in corpus.systems:
        if SEQEVAL_DEFAULT in system.ner:
            for label, score in system.ner[SEQEVAL_DEFAULT].per_type.items():
                support[label] = max(score.support, support.get(label, 0))
    return dict(sorted(support.items()))


def type_table(corpus: CorpusResult) -> Table | None:
    """Build F1 (seqeval default) by entity type, with gold's support in the last row."""
    support = type_support(corpus)
    if not support:
        return None
    rows = [
        [
            system.pipeline,
            *(percent_f1(system.ner[SEQEVAL_DEFAULT].per_type.get(label)) for label in support),
        ]
        for system in corpus.systems
        if SEQEVAL_DEFAULT in system.ner
    ]
    for figures in corpus.published:
        printed = figures.ner_per_type_f1
        cells = [f"{printed[label]:g}" if label in printed else NOTHING for label in support]
        rows.append([f"{figures.name} (published)", *cells])
    rows.append(["entities in gold", *(f"{n:,}" for n in support.values())])
    return Table("F1 by entity type (seqeval default)", ["", *support], rows)


def difference_table(corpus: CorpusResult) -> Table | None:
    """Build one row per pair of pipelines: points of F1 and tag accuracy, intervals, p."""
    by_pair: dict[tuple[str, str], dict[str, Difference]] = {}
    for difference in corpus.differences:
        pair = by_pair.setdefault((difference.first, difference.second), {})
        pair[difference.mode] = difference
    if not by_pair:
        return None
    titles = {SEQEVAL_DEFAULT: "F1", TAG_ACCURACY: "tag acc."}
    modes = [mode for mode in titles if any(mode in pair for pair in by_pair.values())]
    header = ["", *(text for mode in modes for text in (titles[mode], "95 %", "p"))]
    rows = [
        [
            f"{first} minus {second}",
            *(cell for mode in modes for cell in _difference(pair.get(mode))),
        ]
        for (first, second), pair in by_pair.items()
    ]
    return Table(DIFFERENCES, header, rows)


def _difference(difference: Difference | None) -> list[str]:
    if difference is None:
        return [NOTHING] * 3
    low, high = difference.interval.low, difference.interval.high
    p_value = difference.p_value
    return [
        f"{100 * difference.difference:+.2f}",
        f"{100 * low:+.2f} to {100 * high:+.2f}",
        "< 0.001" if p_value < 0.001 else f"{p_value:.3f}",
    ]


def agreement_table(corpus: CorpusResult) -> Table | None:
    """Build one row per pair of pipelines; None if there is only one pipeline."""
    if not corpus.agreement:
        return None
    header = ["", "entities", "words alone", "of the first", "of the second", "tags"]
    rows = [
        [
            f"{pair.first} and {pair.second}",
            percent(pair.entities),
            percent(pair.boundaries),
            f"{pair.n_first:,}",
            f"{pair.n_second:,}",
            percent(pair.tags),
        ]
        for pair in corpus.agreement
    ]
    return Table("Agreement between pipelines", header, rows)


def type_detail_table(corpus: CorpusResult, pipeline: str) -> Table | None:
    """Build precision, recall and F1 by type of one pipeline, by seqeval's default and Scorer."""
    ner = next(system.ner for system in corpus.systems if system.pipeline == pipeline)
    if not ner:
        return None
    rows = []
    for label, score in ner[SEQEVAL_DEFAULT].per_type.items():
        scorer = ner[SCORER].per_type.get(label)
        rows.append([label, *_prf(score), *_prf(scorer), f"{score.support:,}"])
    header = ["", "P", "R", "F1", "Scorer P", "Scorer R", "Scorer F", "entities in gold"]
    return Table(f"{pipeline}: entity types", header, rows)


# ---- pipelines ------------------------------------------------------------------------------


def pipeline_table(results: Results) -> Table:
    """Build speed, size, time to load, peak memory and the components that ran."""
    memory = ["memory"] if with_memory(results) else []
    header = ["", "words/s", "range", "size", "load", *memory, "components that ran"]
    rows = [_pipeline_row(info, bool(memory)) for info in results.pipelines]
    return Table("Pipelines", header, rows, frozenset({0, len(header) - 1}))


def with_memory(results: Results) -> bool:
    """Tell whether the memory of any pipeline was measured."""
    return any(info.peak_memory_bytes for info in results.pipelines)


def _pipeline_row(info: PipelineInfo, with_memory: bool) -> list[str]:
    speed = info.speed
    memory = f"{info.peak_memory_bytes / 1e6:,.0f} MB" if info.peak_memory_bytes else NOTHING
    sizes = [("", info.size_bytes), *info.shared_weights_bytes.items()]
    return [
        info.name,
        f"{speed.median:,.0f}" if speed else NOTHING,
        f"{speed.lowest:,.0f} to {speed.highest:,.0f}" if speed else NOTHING,
        " + ".join(f"{name} {size / 1e6:.1f} MB".strip() for name, size in sizes),
        f"{info.load_seconds:.1f} s" if info.load_seconds is not None else NOTHING,
        *([memory] if with_memory else []),
        ", ".join(info.components),
    ]
