"""Build the finer tables of a comparison: lengths, conventions, errors, tags, confidence."""

from collections.abc import Callable, Mapping, Sequence

from .breakdowns import ALL
from .calibration import together
from .metrics import SEQEVAL_DEFAULT
from .results import CorpusResult, ReliabilityBin, Score, SystemScores
from .tables import Table, agreement_table, percent, percent_f1

# Rows of the table of confused tags.
MAX_TAG_PAIRS = 12

# Keys of ``calibration_error`` -> what is counted, and its bins.
LAYERS: dict[str, tuple[str, Callable[[SystemScores], Sequence[ReliabilityBin]]]] = {
    "ner": ("entities", lambda system: system.reliability),
    "tags": ("tags", lambda system: system.tag_reliability),
}


def detail_tables(corpus: CorpusResult) -> list[Table]:
    """Return every finer table that has something to show and is not among the main ones."""
    tables = (
        _part_table(corpus, "F1 by words in the text", lambda system: system.by_sentence_length),
        _part_table(corpus, "F1 by words in the entity", lambda system: system.by_entity_length),
        convention_table(corpus),
        error_table(corpus),
        tag_confusion_table(corpus),
        calibration_table(corpus),
        threshold_table(corpus),
        agreement_table(corpus) if corpus.has_gold else None,
    )
    return [table for table in tables if table is not None]


def _part_table(
    corpus: CorpusResult, title: str, parts_of: Callable[[SystemScores], Mapping[str, Score]]
) -> Table | None:
    systems = [system for system in corpus.systems if parts_of(system)]
    if not systems:
        return None
    support = parts_of(systems[0])
    rows = [
        [system.pipeline, *(percent_f1(parts_of(system).get(part)) for part in support)]
        for system in systems
    ]
    rows.append(["entities in gold", *(f"{score.support:,}" for score in support.values())])
    return Table(title, ["", *support], rows)


def convention_table(corpus: CorpusResult) -> Table | None:
    """Build exact-match F1 as annotated, and with boundary conventions aside."""
    systems = [system for system in corpus.systems if system.conventions]
    if not systems:
        return None
    names = list(dict.fromkeys(name for system in systems for name in system.conventions))
    # All at once comes last.
    names = [name for name in names if name != ALL] + [ALL]
    rows = [
        [
            system.pipeline,
            percent_f1(system.ner[SEQEVAL_DEFAULT]),
            *(percent_f1(system.conventions.get(name)) for name in names),
        ]
        for system in systems
    ]
    return Table(
        "F1 with conventions of where an entity begins and ends aside",
        ["", "as annotated", *names],
        rows,
    )


def error_table(corpus: CorpusResult) -> Table | None:
    """Build counts of entities by kind of match or error."""
    systems = [system for system in corpus.systems if system.errors]
    if not systems:
        return None
    kinds = list(systems[0].errors)
    rows = [
        [system.pipeline, *(f"{system.errors[kind]:,}" for kind in kinds)] for system in systems
    ]
    return Table("What became of the entities", ["", *kinds], rows)


def tag_confusion_table(corpus: CorpusResult) -> Table | None:
    """Build counts of the tags most often taken for others, over all pipelines together."""
    systems = [system for system in corpus.systems if system.tag_confusion]
    totals: dict[tuple[str, str], int] = {}
    for system in systems:
        for gold, row in system.tag_confusion.items():
            for predicted, n in row.items():
                totals[gold, predicted] = totals.get((gold, predicted), 0) + n
    if not totals:
        return None
    pairs = sorted(totals, key=lambda pair: (-totals[pair], pair))[:MAX_TAG_PAIRS]
    rows = [
        [
            f"{gold} as {predicted}",
            *(f"{system.tag_confusion.get(gold, {}).get(predicted, 0):,}" for system in systems),
        ]
        for gold, predicted in pairs
    ]
    return Table("Tags most often confused", ["", *(system.pipeline for system in systems)], rows)


# ---- confidence -----------------------------------------------------------------------------


def calibration_table(corpus: CorpusResult) -> Table | None:
    """Build one row per pipeline and layer: confidence, share right, gap between them by bin."""
    rows = []
    for system in corpus.systems:
        for layer, (what, bins_of) in LAYERS.items():
            whole = together(bins_of(system))
            if whole is not None:
                rows.append(
                    [
                        f"{system.pipeline}, {what}",
                        f"{whole.n:,}",
                        percent(whole.mean_confidence),
                        percent(whole.share_right),
                        percent(system.calibration_error.get(layer)),
                    ]
                )
    header = ["", "predicted", "mean confidence", "right", "calibration error"]
    return Table("Confidence and calibration", header, rows) if rows else None


def reliability_table(corpus: CorpusResult) -> Table | None:
    """Build one row per bin of confidence."""
    rows = [
        [
            f"{system.pipeline}, {what}",
            f"{100 * cell.low:.0f} to {100 * cell.high:.0f}",
            f"{100 * cell.mean_confidence:.1f}",
            f"{100 * cell.share_right:.1f}",
            f"{cell.n:,}",
        ]
        for system in corpus.systems
        for what, bins_of in LAYERS.values()
        for cell in bins_of(system)
    ]
    header = ["", "confidence", "mean", "right", "predicted"]
    return Table("Confidence against being right", header, rows) if rows else None


def threshold_table(corpus: CorpusResult) -> Table | None:
    """Build one row per threshold; the first of a pipeline is its own."""
    rows = [
        [
            system.pipeline,
            f"{point.threshold:g}",
            percent(point.precision),
            percent(point.recall),
            percent(point.f1),
        ]
        for system in corpus.systems
        if system.thresholds is not None
        for point in system.thresholds.points
    ]
    header = ["", "threshold", "P", "R", "F1"]
    return Table("Precision and recall by threshold", header, rows) if rows else None
