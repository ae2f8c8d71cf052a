"""Write the text beside the tables: what columns mean, how it was measured, what is left out."""

from collections.abc import Iterator

from ..audit.rows import AuditRow
from .results import CorpusResult, ProbableErrors, Results, SystemScores
from .tables import NOTHING, with_memory

# Entities listed one by one in a remark.
MAX_MISALIGNED = 5

LEGEND = (
    "All in percent. P, R, F1: seqeval's default micro average. seqeval strict: IOB2. Scorer: "
    "spaCy's ents_f. partial, type, exact: nervaluate. seen, unseen: exact matches, by whether the "
    "entity's words are an entity in train. tag acc.: right tags over real words. POS padded: "
    "seqeval's default on tags padded to 50 with full stops, the article's figure, not an accuracy."
)
INTERVAL_LEGEND = (
    " 95 %: interval of F1, by bootstrap over texts; p: probability of so large a difference if "
    "the two are equally good."
)
MEMORY_LEGEND = (
    " memory: peak of that process while it annotated one such run, including Python and libraries."
)
AGREEMENT_LEGEND = (
    "All in percent. Without gold there is no right or wrong, only agreement: entities, words "
    "alone: F1 of one pipeline against the other over entities with the same words and label, or "
    "the same words; tags: words with the same tag. Pipelines with different labels agree on "
    "entities only with a --label-map."
)


def legend(results: Results) -> str:
    """Explain the columns of the tables."""
    if not any(corpus.has_gold for corpus in results.corpora):
        return AGREEMENT_LEGEND
    with_intervals = any(corpus.differences for corpus in results.corpora)
    return LEGEND + (INTERVAL_LEGEND if with_intervals else "")


def timing_remark(results: Results) -> str | None:
    """Say how the speeds were measured; None if nothing was timed."""
    speeds = [info.speed for info in results.pipelines if info.speed is not None]
    if not speeds:
        return None
    first = speeds[0]
    text = "different text each time" if first.fresh_text else "the same text each time"
    return (
        f"words/s: median of {len(first.repeats)} interleaved runs of about "
        f"{first.words_per_repeat:,} words ({text}), {results.environment['torch_threads']} "
        f"thread(s) on {results.environment['machine']}, only the components listed switched on. "
        "load: from spacy.load to the first annotated word, in a fresh process."
        + (MEMORY_LEGEND if with_memory(results) else "")
    )


# ---- what is left out -----------------------------------------------------------------------


def remarks(results: Results, *, reasons: bool = True) -> list[str]:
    """List what the figures leave out, one line each: skipped, unmapped, missing, cut.

    reasons: say why a pipeline was skipped, which helps those who ran the comparison but not the
        readers of a page.
    """
    if reasons:
        lines = [f"{skipped.name} was skipped. {skipped.reason}" for skipped in results.skipped]
    else:
        names = ", ".join(skipped.name for skipped in results.skipped)
        lines = [f"Not part of this run: {names}."] if names else []
    for info in results.pipelines:
        lines += [f"{info.name}: {note}." for note in info.notes]
        if info.label_map:
            lines.append(f"{info.name}: labels mapped by {info.label_map}.")
    for corpus in results.corpora:
        for system in corpus.systems:
            lines += _system_remarks(corpus, system)
        lines += [f"{figures.name}: {figures.reference}." for figures in corpus.published]
    return list(dict.fromkeys(lines))


def _system_remarks(corpus: CorpusResult, system: SystemScores) -> Iterator[str]:
    where = f"{system.pipeline} on {corpus.part}"
    for counts, what in (
        (
            system.unmapped_entities,
            "predicted entities have no counterpart in gold and are left out",
        ),
        (
            system.unmapped_tags,
            "predicted tags have no counterpart in gold and are counted as wrong",
        ),
        (
            system.decided_by_gold,
            "predicted entities have a label that may mean several of gold's, and were read as "
            "gold's own",
        ),
        (
            system.unreachable_entities,
            "entities of gold have a label that no label of the pipeline is mapped to",
        ),
    ):
        if counts:
            listed = ", ".join(f"{label} {n:,}" for label, n in counts.items())
            yield f"{where}: {sum(counts.values()):,} {what} ({listed})."
    if system.misaligned:
        listed = "; ".join(
            f"text {entity.text + 1}: {entity.predicted!r} {entity.label}, "
            + (f"read as {' '.join(entity.gold_words)!r}" if entity.kept else "dropped")
            for entity in system.misaligned[:MAX_MISALIGNED]
        )
        more = len(system.misaligned) - MAX_MISALIGNED
        listed += f"; and {more:,} more in results.json" if more > 0 else ""
        yield (
            f"{where}: {len(system.misaligned):,} predicted entities do not end where words of "
            f"gold do ({listed})."
        )


# ---- probable annotation errors -------------------------------------------------------------

# Kind and text, and the titles of what `error_cells` gives; probabilities in percent.
ERROR_HEADER = ["kind", "text", "annotated", "p annotated", "suggested", "p suggested"]
ERROR_TEXT_COLUMNS = frozenset({0, 1, 2, 4})

NEVER_CHANGED = (
    "A pipeline that was not trained on these texts disagrees with their annotation, and is more "
    "confident than it is on average where its suggestion is the annotation. That is a reason to "
    "look, not a proof. No label was changed, neither for training nor for scoring."
)


def errors_title(errors: ProbableErrors) -> str:
    """Say which pipe found how many, where, and how many of them are shown."""
    shown = f", the first {len(errors.rows)}" if len(errors.rows) < errors.n_found else ""
    where = ", ".join(errors.corpus)
    return f"{errors.pipe} on {where}: {errors.n_found:,} in {errors.n_docs:,} texts{shown}"


def error_cells(row: AuditRow) -> list[str]:
    """Format what is annotated and what is suggested, each with its probability."""
    return [
        row.gold or NOTHING,
        f"{100 * row.p_gold:.1f}",
        row.suggested or NOTHING,
        f"{100 * row.p_suggested:.1f}",
    ]


def marked_words(context: str) -> tuple[str, str, str]:
    """Split an audit's context into the text before the words in question, them, and the rest."""
    before, _, rest = context.partition("[[")
    words, _, after = rest.rpartition("]]")
    return before, words, after
