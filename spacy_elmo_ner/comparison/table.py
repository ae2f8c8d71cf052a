"""The tables of a comparison, as plain rows: the terminal, Markdown and README print the same."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .breakdown import SEEN, UNSEEN
from .findings import Interval
from .metrics import SCORER, SEQEVAL_DEFAULT, SEQEVAL_STRICT, TAG_ACCURACY, TAG_PADDED
from .peers import NERVALUATE
from .results import CorpusResult, PipelineInfo, Results, Score

NOTHING = "-"

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
    """A title, a header and rows as long as the header; all but ``text_columns`` are figures."""

    title: str
    header: list[str]
    rows: list[list[str]]
    text_columns: frozenset[int] = frozenset({0})


def spread(fractions: Sequence[float]) -> str:
    """Mean and standard deviation in percent, of one value itself, of none a dash."""
    if not fractions:
        return NOTHING
    mean = f"{100 * statistics.mean(fractions):.2f}"
    return f"{mean} ± {100 * statistics.stdev(fractions):.2f}" if len(fractions) > 1 else mean


def corpus_title(corpus: CorpusResult) -> str:
    """Name, part and size of a corpus on one line."""
    name = f"{corpus.corpus}, {corpus.part}" if corpus.corpus else corpus.part
    known = f"{corpus.n_entities:,} entities" if corpus.has_gold else "no gold"
    return f"{name}: {corpus.n_docs:,} texts, {corpus.n_words:,} words, {known}"


def accuracy_table(corpus: CorpusResult) -> Table:
    """One row a pipeline and one a published set of figures, one column a metric that was taken."""
    ner_modes = _used(NER_TITLES, (system.ner for system in corpus.systems))
    tag_modes = _used(TAG_TITLES, (system.tags for system in corpus.systems))
    # seqeval's default is the F1 that stands beside its P and R.
    others = [mode for mode in ner_modes if mode != SEQEVAL_DEFAULT]
    with_interval = any(SEQEVAL_DEFAULT in system.intervals for system in corpus.systems)
    titles = [NER_TITLES[mode] for mode in others] + [TAG_TITLES[mode] for mode in tag_modes]
    rows = []
    for system in corpus.systems:
        cells = [_f1(system.ner.get(mode)) for mode in others]
        cells += [_f1(system.tags.get(mode)) for mode in tag_modes]
        if with_interval:
            cells.insert(0, _interval(system.intervals.get(SEQEVAL_DEFAULT)))
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


def type_table(corpus: CorpusResult) -> Table | None:
    """F1 (seqeval default) by entity type, gold's support in the last row; None without NER."""
    scores = {
        system.pipeline: system.ner[SEQEVAL_DEFAULT].per_type
        for system in corpus.systems
        if SEQEVAL_DEFAULT in system.ner
    }
    labels = sorted({label for per_type in scores.values() for label in per_type})
    if not labels:
        return None
    rows = [
        [name, *(_f1(per_type.get(label)) for label in labels)] for name, per_type in scores.items()
    ]
    for figures in corpus.published:
        printed = figures.ner_per_type_f1
        cells = [f"{printed[label]:g}" if label in printed else NOTHING for label in labels]
        rows.append([f"{figures.name} (published)", *cells])
    support = {
        label: max(each[label].support for each in scores.values() if label in each)
        for label in labels
    }
    rows.append(["entities in gold", *(f"{support[label]:,}" for label in labels)])
    return Table("F1 by entity type (seqeval default)", ["", *labels], rows)


def type_detail_table(corpus: CorpusResult, pipeline: str) -> Table | None:
    """Precision, recall and F1 by type of one pipeline, by seqeval's default and by Scorer."""
    ner = next(system.ner for system in corpus.systems if system.pipeline == pipeline)
    if not ner:
        return None
    rows = []
    for label, score in ner[SEQEVAL_DEFAULT].per_type.items():
        scorer = ner[SCORER].per_type.get(label)
        rows.append([label, *_prf(score), *_prf(scorer), f"{score.support:,}"])
    header = ["", "P", "R", "F1", "Scorer P", "Scorer R", "Scorer F", "entities in gold"]
    return Table(f"{pipeline}: entity types", header, rows)


def pipeline_table(results: Results) -> Table:
    """Speed, size, time to load, peak memory and the components that ran."""
    memory = ["memory"] if with_memory(results) else []
    header = ["", "words/s", "range", "size", "load", *memory, "components that ran"]
    rows = [_pipeline_row(each, bool(memory)) for each in results.pipelines]
    return Table("Pipelines", header, rows, frozenset({0, len(header) - 1}))


def with_memory(results: Results) -> bool:
    """Whether the memory of any pipeline was measured."""
    return any(info.peak_memory_bytes for info in results.pipelines)


def _pipeline_row(info: PipelineInfo, with_memory: bool) -> list[str]:
    speed = info.speed
    memory = f"{info.peak_memory_bytes / 1e6:,.0f} MB" if info.peak_memory_bytes else NOTHING
    return [
        info.name,
        f"{speed.median:,.0f}" if speed else NOTHING,
        f"{speed.lowest:,.0f} to {speed.highest:,.0f}" if speed else NOTHING,
        _size(info),
        f"{info.load_seconds:.1f} s" if info.load_seconds is not None else NOTHING,
        *([memory] if with_memory else []),
        ", ".join(info.components),
    ]


def _size(info: PipelineInfo) -> str:
    sizes = [("", info.size_bytes), *info.shared_weights_bytes.items()]
    return " + ".join(f"{name} {size / 1e6:.1f} MB".strip() for name, size in sizes)


def _used(titles: Mapping[str, str], scores: Iterable[Mapping[str, Score]]) -> list[str]:
    taken = {mode for each in scores for mode in each}
    return [mode for mode in titles if mode in taken]


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return NOTHING
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _f1(score: Score | None) -> str:
    return NOTHING if score is None else f"{100 * score.f1:.2f}"


def _prf(score: Score | None) -> list[str]:
    if score is None:
        return [NOTHING] * 3
    return [f"{100 * score.precision:.2f}", f"{100 * score.recall:.2f}", _f1(score)]
