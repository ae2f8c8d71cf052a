"""The tables of a comparison, as plain rows: the terminal, Markdown and README print the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .metrics import SCORER, SEEN, SEQEVAL_DEFAULT, SEQEVAL_STRICT, TAG_ACCURACY, TAG_PADDED, UNSEEN
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

LEGEND = (
    "All in percent. P, R, F1: seqeval's default micro average. seqeval strict: IOB2. Scorer: "
    "spaCy's ents_f. partial, type, exact: nervaluate. seen, unseen: exact matches, by whether the "
    "entity's words are an entity in train. tag acc.: right tags over real words. POS padded: "
    "seqeval's default on tags padded to 50 with full stops, the article's figure and no accuracy."
)


@dataclass(frozen=True)
class Table:
    """A title, a header and rows as long as the header; all but ``text_columns`` are figures."""

    title: str
    header: list[str]
    rows: list[list[str]]
    text_columns: frozenset[int] = frozenset({0})


def corpus_title(corpus: CorpusResult) -> str:
    """Name, part and size of a corpus on one line."""
    name = f"{corpus.corpus}, {corpus.part}" if corpus.corpus else corpus.part
    return (
        f"{name}: {corpus.n_docs:,} texts, {corpus.n_words:,} words, {corpus.n_entities:,} entities"
    )


def accuracy_table(corpus: CorpusResult) -> Table:
    """One row a pipeline and one a published set of figures, one column a metric that was taken."""
    ner_modes = _used(NER_TITLES, (system.ner for system in corpus.systems))
    tag_modes = _used(TAG_TITLES, (system.tags for system in corpus.systems))
    # seqeval's default is the F1 that stands beside its P and R.
    others = [mode for mode in ner_modes if mode != SEQEVAL_DEFAULT]
    titles = [NER_TITLES[mode] for mode in others] + [TAG_TITLES[mode] for mode in tag_modes]
    rows = []
    for system in corpus.systems:
        cells = [_f1(system.ner.get(mode)) for mode in others]
        cells += [_f1(system.tags.get(mode)) for mode in tag_modes]
        rows.append([system.pipeline, *_prf(system.ner.get(SEQEVAL_DEFAULT)), *cells])
    for figures in corpus.published:
        printed = {figures.ner_mode: figures.ner_f1, figures.tag_mode: figures.tag_f1}
        shown = [SEQEVAL_DEFAULT, *others, *tag_modes]
        cells = [f"{printed[mode]:g}" if mode in printed else NOTHING for mode in shown]
        rows.append([f"{figures.name} (published)", NOTHING, NOTHING, *cells])
    return Table("Accuracy", ["", "P", "R", "F1", *titles], rows)


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
    """Speed, size, time to load and the components that ran."""
    header = ["", "words/s", "range", "size", "load", "components that ran"]
    rows = [_pipeline_row(each) for each in results.pipelines]
    return Table("Pipelines", header, rows, frozenset({0, len(header) - 1}))


def remarks(results: Results) -> list[str]:
    """One line for everything the figures leave out: skipped, unmapped, missing, cut."""
    lines = [f"{each.name} was skipped. {each.reason}" for each in results.skipped]
    for info in results.pipelines:
        lines += [f"{info.name}: {note}." for note in info.notes]
        if info.label_map:
            lines.append(f"{info.name}: labels mapped by {info.label_map}.")
    for corpus in results.corpora:
        for system in corpus.systems:
            for kind, counts, fate in (
                ("entities", system.unmapped_entities, "left out"),
                ("tags", system.unmapped_tags, "counted as wrong"),
            ):
                if counts:
                    listed = ", ".join(f"{label} {n:,}" for label, n in counts.items())
                    total = f"{sum(counts.values()):,}"
                    lines.append(
                        f"{system.pipeline} on {corpus.part}: {total} predicted {kind} have no "
                        f"counterpart in gold and are {fate} ({listed})."
                    )
        lines += [f"{each.name}: {each.reference}." for each in corpus.published]
    return list(dict.fromkeys(lines))


def timing_remark(results: Results) -> str | None:
    """How the speeds were taken; None where nothing was timed."""
    speeds = [info.speed for info in results.pipelines if info.speed is not None]
    if not speeds:
        return None
    first = speeds[0]
    text = "different text each time" if first.fresh_text else "the same text each time"
    return (
        f"words/s: median of {len(first.repeats)} interleaved runs of about "
        f"{first.words_per_repeat:,} words ({text}), {results.environment['torch_threads']} "
        f"thread(s) on {results.environment['machine']}, only the components listed switched on. "
        "load: from spacy.load to a first annotated word, in a fresh process."
    )


def _pipeline_row(info: PipelineInfo) -> list[str]:
    speed = info.speed
    return [
        info.name,
        f"{speed.median:,.0f}" if speed else NOTHING,
        f"{speed.lowest:,.0f} to {speed.highest:,.0f}" if speed else NOTHING,
        _size(info),
        f"{info.load_seconds:.1f} s" if info.load_seconds is not None else NOTHING,
        ", ".join(info.components),
    ]


def _size(info: PipelineInfo) -> str:
    sizes = [("", info.size_bytes), *info.shared_weights_bytes.items()]
    return " + ".join(f"{name} {size / 1e6:.1f} MB".strip() for name, size in sizes)


def _used(titles: Mapping[str, str], scores: Iterable[Mapping[str, Score]]) -> list[str]:
    taken = {mode for each in scores for mode in each}
    return [mode for mode in titles if mode in taken]


def _f1(score: Score | None) -> str:
    return NOTHING if score is None else f"{100 * score.f1:.2f}"


def _prf(score: Score | None) -> list[str]:
    if score is None:
        return [NOTHING] * 3
    return [f"{100 * score.precision:.2f}", f"{100 * score.recall:.2f}", _f1(score)]
