"""What must be said beside the tables: what columns mean, how it was measured, what is left out."""

from collections.abc import Iterator

from .results import CorpusResult, Results, SystemScores
from .table import with_memory

# Entities listed one by one in a remark.
MAX_MISALIGNED = 5

LEGEND = (
    "All in percent. P, R, F1: seqeval's default micro average. seqeval strict: IOB2. Scorer: "
    "spaCy's ents_f. partial, type, exact: nervaluate. seen, unseen: exact matches, by whether the "
    "entity's words are an entity in train. tag acc.: right tags over real words. POS padded: "
    "seqeval's default on tags padded to 50 with full stops, the article's figure and no accuracy."
)
INTERVAL_LEGEND = (
    " 95 %: interval of F1, by bootstrap over texts; p: how likely so large a difference is if the "
    "two are equally good."
)
MEMORY_LEGEND = (
    " memory: the most that process held while it annotated one such run, Python and libraries "
    "included."
)
AGREEMENT_LEGEND = (
    "All in percent. Without gold there is no right or wrong, only agreement: entities, words "
    "alone: F1 of one pipeline against the other over entities with the same words and label, or "
    "the same words; tags: words with the same tag. Pipelines whose labels have other names agree "
    "on entities only with a --label-map."
)


def legend(results: Results) -> str:
    """What the columns of the tables mean."""
    if not any(corpus.has_gold for corpus in results.corpora):
        return AGREEMENT_LEGEND
    with_intervals = any(corpus.differences for corpus in results.corpora)
    return LEGEND + (INTERVAL_LEGEND if with_intervals else "")


def remarks(results: Results) -> list[str]:
    """One line for everything the figures leave out: skipped, unmapped, missing, cut."""
    lines = [f"{each.name} was skipped. {each.reason}" for each in results.skipped]
    for info in results.pipelines:
        lines += [f"{info.name}: {note}." for note in info.notes]
        if info.label_map:
            lines.append(f"{info.name}: labels mapped by {info.label_map}.")
    for corpus in results.corpora:
        for system in corpus.systems:
            lines += _system_remarks(corpus, system)
        lines += [f"{each.name}: {each.reference}." for each in corpus.published]
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
            f"text {each.text + 1}: {each.predicted!r} {each.label}, "
            + (f"read as {' '.join(each.gold_words)!r}" if each.kept else "dropped")
            for each in system.misaligned[:MAX_MISALIGNED]
        )
        more = len(system.misaligned) - MAX_MISALIGNED
        listed += f"; and {more:,} more in results.json" if more > 0 else ""
        yield (
            f"{where}: {len(system.misaligned):,} predicted entities do not end where words of "
            f"gold do ({listed})."
        )


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
        + (MEMORY_LEGEND if with_memory(results) else "")
    )
