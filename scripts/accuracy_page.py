"""Write docs/accuracy.md from the results of trained plans.

    python scripts/accuracy_page.py [--results benchmarks/results] [--output docs/accuracy.md]
        [--check]

- ``released-test.json`` (`python -m benchmarks.seed_scores benchmarks/experiments/released.json`):
  the test parts, every system with all its seeds.
- ``ablation.json`` (`python -m benchmarks.run_experiments benchmarks/experiments/ablation.json`):
  what each choice of configs/elmo.cfg is worth, on dev.

Results that are not there leave their section out. With --check nothing is written; the exit
status is 1 where the page is out of date.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy_elmo_ner.comparison.markdown import markdown_table
from spacy_elmo_ner.comparison.pages import read_benchmark, update_page
from spacy_elmo_ner.comparison.table import NER_TITLES, TAG_TITLES, Table, spread

TITLE = (
    "# Accuracy\n\nWritten by `python scripts/accuracy_page.py` from `benchmarks/results/`. All in "
    "percent; with several seeds, mean ± standard deviation. README says what the columns mean."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--output", type=Path, default=Path("docs/accuracy.md"))
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    options = parser.parse_args(arguments)
    released, ablation = (
        read_benchmark(options.results / f"{name}.json") for name in ("released-test", "ablation")
    )
    parts = [TITLE]
    for part in released["parts"] if released else ():
        parts += part_sections(part)
    parts += ablation_section(ablation) if ablation else []
    text = "\n\n".join(parts) + "\n"
    command = "python scripts/accuracy_page.py"
    return update_page(options.output, text, command, check=options.check)


def part_sections(part: dict[str, Any]) -> Iterator[str]:
    """One test part: all metrics, entity types, and how far systems agree."""
    systems = part["systems"]
    yield (
        f"## {part['corpus']}, {part['part']}\n\n{part['n_docs']:,} texts, {part['n_words']:,} "
        f"words, {part['n_entities']:,} entities."
    )
    yield markdown_table(score_table(systems))
    labels = sorted({label for system in systems for label in system["per_type"]})
    rows = [
        [system["name"], *(spread(system["per_type"].get(label, ())) for label in labels)]
        for system in systems
    ]
    yield "F1 by entity type (seqeval default):"
    yield markdown_table(Table("Types", ["", *labels], rows))
    if part["agreement"]:
        yield (
            "How far systems agree with each other, first seed of each, entity F1 of one against "
            "the other. Where they agree with each other more than with gold, gold is at odds with "
            "itself."
        )
        rows = [
            [f"{each['first']} and {each['second']}", spread([each["entities"]])]
            for each in part["agreement"]
        ]
        yield markdown_table(Table("Agreement", ["", "F1"], rows))
        if part["unanimous"]["found"]:
            yield unanimity(part["unanimous"])


def unanimity(found: dict[str, int]) -> str:
    """What all systems and seeds find alike, and what gold says of it."""
    n = found["found"]
    wrong = n - found["right"]
    return (
        f"All that were trained, every seed, agree on {n:,} entities. Gold has not {wrong:,} of "
        f"them ({wrong / n:.1%}): {found['other_label']:,} with another label, "
        f"{found['other_bounds']:,} with other bounds, {found['nothing']:,} not at all."
    )


def score_table(systems: Sequence[dict[str, Any]]) -> Table:
    """One row a system, one column a metric that any of them has."""
    ner = [mode for mode in NER_TITLES if any(mode in each["ner"] for each in systems)]
    tags = [mode for mode in TAG_TITLES if any(mode in each["tags"] for each in systems)]
    header = [
        *("", "seeds"),
        *(NER_TITLES[mode] for mode in ner),
        *(TAG_TITLES[mode] for mode in tags),
        *("calibration error, entities", "tags"),
    ]
    rows = [
        [
            each["name"],
            f"{len(each['seeds'])}",
            *(spread(each["ner"].get(mode, ())) for mode in ner),
            *(spread(each["tags"].get(mode, ())) for mode in tags),
            *(spread(each["calibration_error"].get(layer, ())) for layer in ("ner", "tags")),
        ]
        for each in systems
    ]
    return Table("Scores", header, rows)


def ablation_section(data: dict[str, Any]) -> Iterator[str]:
    """Each choice on and off: entity F1 on dev, and what changing it costs."""
    yield f"## {data['title']}\n\nOn dev; the difference is to the first row."
    first = data["rows"][0]
    rows = []
    for row in data["rows"]:
        lost = statistics.mean(row["ents_f"]) - statistics.mean(first["ents_f"])
        difference = "" if row is first else f"{100 * lost:+.2f}"
        minutes = f"{statistics.mean(row['minutes']):.0f}"
        seeds = f"{len(row['seeds'])}"
        rows.append([row["experiment"], seeds, spread(row["ents_f"]), difference, minutes])
    header = ["", "seeds", "entity F1", "difference", "minutes"]
    yield markdown_table(Table("Ablation", header, rows))


if __name__ == "__main__":
    sys.exit(main())
