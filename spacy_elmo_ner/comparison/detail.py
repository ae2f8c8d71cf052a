"""The finer tables of a comparison: differences, lengths, conventions, errors, tags, agreement."""

from collections.abc import Callable, Mapping

from .confidence_tables import calibration_table, threshold_table
from .conventions import ALL
from .findings import Difference
from .metrics import SEQEVAL_DEFAULT, TAG_ACCURACY
from .results import CorpusResult, Score, SystemScores
from .table import NOTHING, Table, accuracy_table, type_table

# Rows of the table of confused tags.
MAX_TAG_PAIRS = 12

DIFFERENCES = "Differences, with paired bootstrap over texts"


def detail_tables(corpus: CorpusResult) -> list[Table]:
    """Every finer table that has something to show, and is not among the main ones."""
    tables = (
        _part_table(corpus, "F1 by words in the text", lambda each: each.by_sentence_length),
        _part_table(corpus, "F1 by words in the entity", lambda each: each.by_entity_length),
        convention_table(corpus),
        error_table(corpus),
        tag_confusion_table(corpus),
        calibration_table(corpus),
        threshold_table(corpus),
        agreement_table(corpus) if corpus.has_gold else None,
    )
    return [table for table in tables if table is not None]


def main_tables(corpus: CorpusResult) -> list[Table]:
    """What stands first everywhere: accuracy, types, differences; without gold the agreement."""
    if corpus.has_gold:
        tables = [accuracy_table(corpus), type_table(corpus), difference_table(corpus)]
    else:
        tables = [agreement_table(corpus)]
    return [table for table in tables if table is not None]


def difference_table(corpus: CorpusResult) -> Table | None:
    """One row a pair of pipelines: points of F1 and of tag accuracy, their intervals, p."""
    by_pair: dict[tuple[str, str], dict[str, Difference]] = {}
    for each in corpus.differences:
        by_pair.setdefault((each.first, each.second), {})[each.mode] = each
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


def agreement_table(corpus: CorpusResult) -> Table | None:
    """One row a pair of pipelines; None where there is but one."""
    if not corpus.agreement:
        return None
    header = ["", "entities", "words alone", "of the first", "of the second", "tags"]
    rows = [
        [
            f"{each.first} and {each.second}",
            percent(each.entities),
            percent(each.boundaries),
            f"{each.n_first:,}",
            f"{each.n_second:,}",
            percent(each.tags),
        ]
        for each in corpus.agreement
    ]
    return Table("Agreement between pipelines", header, rows)


def convention_table(corpus: CorpusResult) -> Table | None:
    """Exact-match F1 as annotated, and with boundary conventions aside."""
    systems = [each for each in corpus.systems if each.conventions]
    if not systems:
        return None
    names = list(dict.fromkeys(name for each in systems for name in each.conventions))
    # All at once stands last.
    names = [name for name in names if name != ALL] + [ALL]
    rows = [
        [
            each.pipeline,
            percent(each.ner[SEQEVAL_DEFAULT].f1),
            *(_f1(each.conventions.get(name)) for name in names),
        ]
        for each in systems
    ]
    return Table(
        "F1 with conventions of where an entity begins and ends aside",
        ["", "as annotated", *names],
        rows,
    )


def error_table(corpus: CorpusResult) -> Table | None:
    """Entities by what became of them, as counts."""
    systems = [each for each in corpus.systems if each.errors]
    if not systems:
        return None
    kinds = list(systems[0].errors)
    rows = [[each.pipeline, *(f"{each.errors[kind]:,}" for kind in kinds)] for each in systems]
    return Table("What became of the entities", ["", *kinds], rows)


def tag_confusion_table(corpus: CorpusResult) -> Table | None:
    """The tags most often taken for others, over all pipelines together, as counts of words."""
    systems = [each for each in corpus.systems if each.tag_confusion]
    totals: dict[tuple[str, str], int] = {}
    for each in systems:
        for gold, row in each.tag_confusion.items():
            for predicted, n in row.items():
                totals[gold, predicted] = totals.get((gold, predicted), 0) + n
    if not totals:
        return None
    pairs = sorted(totals, key=lambda pair: (-totals[pair], pair))[:MAX_TAG_PAIRS]
    rows = [
        [
            f"{gold} as {predicted}",
            *(f"{each.tag_confusion.get(gold, {}).get(predicted, 0):,}" for each in systems),
        ]
        for gold, predicted in pairs
    ]
    return Table("Tags most often confused", ["", *(each.pipeline for each in systems)], rows)


def percent(share: float | None) -> str:
    """A share in percent with two digits, or a dash."""
    return NOTHING if share is None else f"{100 * share:.2f}"


def _part_table(
    corpus: CorpusResult, title: str, parts_of: Callable[[SystemScores], Mapping[str, Score]]
) -> Table | None:
    systems = [each for each in corpus.systems if parts_of(each)]
    if not systems:
        return None
    parts = list(parts_of(systems[0]))
    rows = [[each.pipeline, *(_f1(parts_of(each).get(part)) for part in parts)] for each in systems]
    support = parts_of(systems[0])
    rows.append(["entities in gold", *(f"{support[part].support:,}" for part in parts)])
    return Table(title, ["", *parts], rows)


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


def _f1(score: Score | None) -> str:
    return percent(None if score is None else score.f1)
