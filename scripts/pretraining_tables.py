"""Write the tables of pre-training into its pages, from their results files.

    python scripts/pretraining_tables.py [--check]

- ``benchmarks/results/pretraining.json`` (`python -m benchmarks.run_experiments
  benchmarks/experiments/pretraining.json`): what a biLM is worth, into docs/pretraining.md and
  the model card of ``small-en``.
- ``benchmarks/results/perplexity.json`` (`python -m spacy elmo perplexity FOLDER --json`): into
  the model card.

Each goes between the marks of its name. With --check nothing is written; the exit status is 1
where a page is out of date.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy_elmo_ner.comparison.markdown import markdown_table
from spacy_elmo_ner.comparison.pages import read_benchmark, update_page
from spacy_elmo_ner.comparison.readme import with_results
from spacy_elmo_ner.comparison.report.drawing import Chart, figure, series_color, series_marker
from spacy_elmo_ner.comparison.report.page import write_pictures
from spacy_elmo_ner.comparison.table import Table, spread

ROOT = Path(__file__).parents[1]
PAGE, CARD = "docs/pretraining.md", "spacy_elmo_ner/data/small-en/MODEL_CARD.md"

# By biLM and percent of the training part: entity F1 of each seed.
Worth = dict[str, dict[int, list[float]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout")
    parser.add_argument("--check", action="store_true", help="only tell what is out of date")
    options = parser.parse_args(arguments)
    results = options.root / "benchmarks/results"
    parts, charts = [], []
    if worth := read_benchmark(results / "pretraining.json"):
        found = by_share(worth["rows"])
        charts.append(worth_chart(found))
        told, table, picture = worth_section(found, charts[0])
        parts.append((PAGE, "worth", f"{told}\n\n{table}\n\n{picture}"))
        parts.append((CARD, "worth", f"{told}\n\n{table}"))
    if measured := read_benchmark(results / "perplexity.json"):
        parts.append((CARD, "perplexity", markdown_table(perplexity_table(measured))))
    statuses = [0]
    for page, name, text in parts:
        path = options.root / page
        updated = with_results(path.read_text(encoding="utf8"), text, path, name)
        command = "python scripts/pretraining_tables.py"
        statuses.append(update_page(path, updated, command, check=options.check))
    if not options.check:
        write_pictures(charts, options.root / "docs/pictures")
    return max(statuses)


def by_share(rows: Sequence[dict[str, Any]]) -> Worth:
    """Rows of experiments named "biLM, 10 %", in their order."""
    found: Worth = {}
    for row in rows:
        name, _, share = row["experiment"].rpartition(", ")
        found.setdefault(name, {})[int(share.removesuffix("%"))] = row["ents_f"]
    return found


def worth_section(found: Worth, chart: Chart) -> tuple[str, str, str]:
    """What is told of the chart, its table, and its picture, in Markdown."""
    counts = {len(scores) for of_share in found.values() for scores in of_share.values()}
    told = f"mean and standard deviation of {max(counts)} seeds" if max(counts) > 1 else "one seed"
    alone = " A figure by itself is of one seed." if {1} < counts else ""
    return (
        f"Entity F1 on dev, {told}, by percent of GMB's training part. The biLM is frozen, the "
        f"head the same in all rows but spaCy's CNN.{alone}",
        markdown_table(chart.table),
        f"![{chart.title}. {chart.alternative}](pictures/{chart.key}.png)",
    )


def worth_chart(found: Worth) -> Chart:
    """F1 against the share of the training part, one line a biLM."""
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


def perplexity_table(measured: dict[str, Any]) -> Table:
    """Each source and all of them: both directions, words, share outside the vocabulary."""
    rows = [
        [
            each["file"],
            f"{each['forward']:.1f}",
            f"{each['backward']:.1f}",
            f"{each['n_tokens']:,}",
            f"{each['oov']:.1%}",
        ]
        for each in [*measured["sources"], {"file": "all", **measured}]
    ]
    header = ["text", "forward", "backward", "words", "outside the vocabulary"]
    return Table("Perplexity", header, rows)


if __name__ == "__main__":
    sys.exit(main())
