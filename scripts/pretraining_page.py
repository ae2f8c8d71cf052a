"""Tables and chart of pre-training for docs/pretraining.md and the model card."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from spacy_elmo_ner.comparison.plotting import Chart, figure, series_color, series_marker
from spacy_elmo_ner.comparison.tables import NOTHING, Table, spread

from .yardstick_page import FIELDS, SHIPPED, mean_of_fields

# By biLM and percent of the training part: entity F1 of each seed.
Worth = dict[str, dict[int, list[float]]]


def by_share(rows: Sequence[dict[str, Any]]) -> Worth:
    """Group rows of experiments named "biLM, 10 %", in their order."""
    found: Worth = {}
    for row in rows:
        name, _, share = row["experiment"].rpartition(", ")
        found.setdefault(name, {})[int(share.removesuffix("%"))] = row["ents_f"]
    return found


def worth_caption(found: Worth) -> str:
    """Say what the table and the chart show."""
    counts = {len(scores) for of_share in found.values() for scores in of_share.values()}
    told = f"mean and standard deviation of {max(counts)} seeds" if max(counts) > 1 else "one seed"
    alone = " A figure without deviation is of one seed." if {1} < counts else ""
    return (
        f"Entity F1 on dev, {told}, by percent of GMB's training part. The biLM is frozen, the "
        f"head the same in all rows but spaCy's CNN.{alone}"
    )


def worth_chart(found: Worth) -> Chart:
    """Draw F1 against the share of the training part, one line per biLM."""
    shares = sorted({share for of_share in found.values() for share in of_share})
    rows = [
        [name, *(spread(of_share.get(share, ())) for share in shares)]
        for name, of_share in found.items()
    ]
    table = Table("Worth", ["", *(f"{share} %" for share in shares)], rows)
    with figure(3.6) as (fig, axes):
        for index, (name, of_share) in enumerate(found.items()):
            x = sorted(of_share)
            y = [100 * statistics.mean(of_share[share]) for share in x]
            color, marker = series_color(index), series_marker(index)
            axes.plot(x, y, color=color, marker=marker, label=name)
        axes.set_xscale("log")
        axes.set_xticks(shares, [f"{share} %" for share in shares])
        axes.minorticks_off()
        axes.set_xlabel("of the training part (logarithmic)")
        axes.set_ylabel("entity F1 on dev")
        axes.legend(fontsize=9)
    least = shares[0]
    told = "; ".join(
        f"{name} {100 * statistics.mean(of_share[least]):.1f}"
        for name, of_share in found.items()
        if least in of_share
    )
    return Chart(
        "pretraining-worth",
        "Entity F1 by share of the training part",
        f"At {least} %: {told}. The table has all figures.",
        fig,
        table,
    )


def cells_table(data: dict[str, Any]) -> Table:
    """Build entity F1 on dev by biLM and corpus, and the mean of the corpora.

    data: content of a results file of `benchmarks.yardstick`, of one system with several biLMs.
    """
    ran = {row["corpus"] for row in data["rows"]}
    corpora = [corpus for corpus in data["corpora"] if corpus in ran]
    rows = []
    for bilm in dict.fromkeys(row["bilm"] for row in data["rows"]):
        of_bilm = [row for row in data["rows"] if row["bilm"] == bilm]
        found = [[row for row in of_bilm if row["corpus"] == corpus] for corpus in corpora]
        scores = [[row["scores"]["clean"] for row in of_corpus] for of_corpus in found]
        mean = statistics.mean(map(statistics.mean, scores))
        rows.append([bilm, *map(spread, scores), spread([mean])])
    return Table("More cells", ["", *corpora, "mean"], rows)


def gain_table(
    title: str, yardstick: dict[str, Any], rows_after: Iterable[dict[str, Any]], name: str
) -> Table:
    """Build entity F1 by system and corpus, with small-en and with other biLMs, and the gain.

    yardstick: content of a results file of `benchmarks.yardstick`, with rows of small-en.
    rows_after: such rows of the other biLMs, which go by this name. The gain is of the means. With
    all five fields there is a mean of them, too.
    """
    scores = _scores(rows_after)
    scores_before = _scores(row for row in yardstick["rows"] if row["bilm"] == SHIPPED)
    ran = {corpus for _, corpus in scores}
    corpora = [corpus for corpus in yardstick["corpora"] if corpus in ran]
    has_all = set(FIELDS) <= set(corpora)
    rows = []
    for system in dict.fromkeys(system for system, _ in scores):
        found = [
            {corpus: of.get((system, corpus), []) for corpus in corpora}
            for of in (scores_before, scores)
        ]
        cells = [[*of.values(), *([mean_of_fields(of)] if has_all else ())] for of in found]
        rows.append([f"{system}, {SHIPPED}", *map(spread, cells[0])])
        rows.append([f"{system}, {name}", *map(spread, cells[1])])
        rows.append(["gain", *map(_gain, *cells)])
    header = ["", *corpora, *(["mean of the fields"] if has_all else ())]
    return Table(title, header, rows)


def _scores(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[float]]:
    """Map each system and corpus to the entity F1 of its seeds."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((row["system"], row["corpus"]), []).append(row["scores"]["clean"])
    return found


def _gain(before: Sequence[float], after: Sequence[float]) -> str:
    if not before or not after:
        return NOTHING
    return f"{100 * (statistics.mean(after) - statistics.mean(before)):+.2f}"


def perplexity_table(measured: dict[str, Any]) -> Table:
    """Build both directions, words and share outside the vocabulary, by source and for all."""
    rows = [
        [
            source["file"],
            f"{source['forward']:.1f}",
            f"{source['backward']:.1f}",
            f"{source['n_tokens']:,}",
            f"{source['oov']:.1%}",
        ]
        for source in [*measured["sources"], {"file": "all", **measured}]
    ]
    header = ["text", "forward", "backward", "words", "outside the vocabulary"]
    return Table("Perplexity", header, rows)
