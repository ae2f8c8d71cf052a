"""Judge a biLM by the entities that a head on top of it finds, in minutes.

    python -m benchmarks.judge_bilm NAME-OR-FOLDER... [--corpora politics,science,gmb-2]
        [--seeds 0] [--with-vectors] [--vectors FOLDER]

Trains the yardstick's systems with each biLM, full and its layer 0 alone, and prints mean entity
F1 on dev per corpus: what characters give, and what the contextual layers add. Run from the root
of the checkout, after `python -m spacy elmo corpus` and `python -m benchmarks.fields FOLDER`. What
was judged before is read from --results.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table

from .yardstick.__main__ import PLAN, names
from .yardstick.plan import read_plan
from .yardstick.results import ResultsFile, Row
from .yardstick.runner import Runner

# Full biLM and its layer 0 alone, as the plan names them.
ALONE = ("head + biLM", "head + layer 0")
WITH_VECTORS = ("head + both", "head + vectors + layer 0")


def table(rows: Sequence[Row], corpora: Sequence[str], systems: Sequence[str]) -> Table:
    """One row per biLM and system: mean F1 over seeds per corpus, and the mean of corpora.

    After the two systems of a pair comes what the contextual layers add.
    """
    cells = []
    for bilm in dict.fromkeys(row.bilm for row in rows):
        means = {
            system: [
                statistics.mean(
                    row.scores["clean"]
                    for row in rows
                    if (row.bilm, row.system, row.corpus) == (bilm, system, corpus)
                )
                for corpus in corpora
            ]
            for system in systems
        }
        for full, zero in (ALONE, WITH_VECTORS):
            if full not in means:
                continue
            added = [a - b for a, b in zip(means[full], means[zero], strict=True)]
            cells += [
                [str(bilm), full, *_percent(means[full], "{:.2f}")],
                [str(bilm), zero, *_percent(means[zero], "{:.2f}")],
                [str(bilm), "contextual layers", *_percent(added, "{:+.2f}")],
            ]
    return Table("biLMs", ["biLM", "", *corpora, "mean"], cells, frozenset({0, 1}))


def _percent(fractions: Sequence[float], form: str) -> list[str]:
    return [form.format(100 * value) for value in (*fractions, statistics.mean(fractions))]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bilms", nargs="+", help="biLMs by name, or their folders")
    parser.add_argument("--corpora", type=names, default=["politics", "science", "gmb-2"])
    parser.add_argument("--seeds", type=names, default=["0"])
    parser.add_argument("--with-vectors", action="store_true", help="beside vectors, too")
    parser.add_argument("--vectors-only", action="store_true", help="beside vectors alone")
    parser.add_argument("--vectors", help="folder of spaCy vectors")
    parser.add_argument("--plan", type=Path, default=PLAN)
    parser.add_argument("--results", type=Path, default=Path("training/judged.json"))
    parser.add_argument("--work", type=Path, default=Path("training/yardstick"))
    parser.add_argument("--lock", type=Path, help="a file to lock during each run")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = read_plan(args.plan)
    systems = [
        *(() if args.vectors_only else ALONE),
        *(WITH_VECTORS if args.with_vectors or args.vectors_only else ()),
    ]
    results = ResultsFile(args.results, plan.heading)
    rows = []
    for bilm in args.bilms:
        runner = Runner(args.work, bilm, args.vectors, args.lock, cases=("clean",))
        for run in plan.runs([int(seed) for seed in args.seeds], args.corpora, systems):
            rows.append(runner.run(run, results))
    print(markdown_table(table(rows, args.corpora, systems)))


if __name__ == "__main__":
    main()
