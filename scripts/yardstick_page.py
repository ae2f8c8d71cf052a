"""The text of docs/yardstick.md, from the scores of benchmarks.yardstick."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import NOTHING, Table, spread

# The gold corpora of users' own fields; the others are shares of one silver corpus.
FIELDS = ("politics", "science", "literature", "finance", "anatomy")

INTRODUCTION = """\
# Yardstick

Written by `python scripts/pages.py` from `benchmarks/results/yardstick.json`, which
`python -m benchmarks.yardstick` writes. Entity F1 (Scorer's `ents_f` on gold tokens), in percent;
with several seeds, mean ± standard deviation. The first tables are of the dev parts, on which
representation, head and training are chosen, and hold the latest of these choices. The test parts
are at the end, of what is released, of its rivals and of what each part of it adds, from
`benchmarks/results/yardstick-test.json` (`--test`).

politics, science and literature have 100 or 200 training sentences, finance 931 and anatomy 2,252;
gmb-2 and gmb-10 are 2 and 10 percent of the training part of the seed split{whole}.
"head" is the `elmo_ner` of `configs/ner.cfg` on hash embeddings and what its name adds; "both" is
the biLM and vectors, "layer 0" the biLM's word representation without its contextual layers, and
"layers mixed" reads their weighted sum (`ElmoListener.v1`) instead of all of them side by side.
A committee of three is `elmo combine` of three trainings with other seeds.
spaCy's CNN with vectors has the same table of vectors. {transformer}"""

TRANSFORMER = (
    "all-MiniLM-L6-v2 is a transformer of 22 M parameters that lower-cases what it reads: the case "
    "of a text makes no difference to it, and tells it nothing. On the smallest fields it was best "
    "at its last steps; but on literature's dev part neither more steps of smaller batches nor a "
    "higher rate made it much better (`benchmarks/results/transformer.json`, from "
    "`python -m benchmarks.yardstick benchmarks/experiments/transformer.json`). On all of GMB it "
    "was trained for version 0.1.0, see [Accuracy](accuracy.md)."
)

ADDED = "Difference of F1 between two systems, mean over the seeds that both have."

# Rows of this biLM go by the system's name alone, those of others beside it by both.
SHIPPED = "small-en"

# Differences of two systems, by what they tell.
DIFFERENCES = (
    ("contextual layers, beside vectors", "head + both", "head + vectors + layer 0"),
    ("contextual layers, without vectors", "head + biLM", "head + layer 0"),
    ("layers side by side, not mixed", "head + both", "head + both, layers mixed"),
    ("biLM, beside vectors", "head + both", "head + vectors"),
    ("vectors, beside the biLM", "head + both", "head + biLM"),
    ("both, against spaCy's CNN with vectors", "head + both", "spaCy CNN + vectors"),
)

COLUMNS = {
    "clean": "F1",
    "lower": "lower",
    "upper": "UPPER",
    "title": "Title",
    "seen": "seen",
    "unseen": "unseen",
}

Row = Mapping[str, Any]


def yardstick_page(data: Mapping[str, Any], test: Mapping[str, Any] | None = None) -> str:
    """Make the page from the content of a results file, and of one of the test parts."""
    scores = Scores(data)
    of_test = Scores(test) if test else None
    both = [scores, of_test] if of_test else [scores]
    transformer = TRANSFORMER if any("MiniLM" in name for s in both for name in s.systems) else ""
    whole = ", gmb-100 is all of it" if any("gmb-100" in s.corpora for s in both) else ""
    parts = [INTRODUCTION.format(transformer=transformer, whole=whole).rstrip()]
    parts += ["## All corpora", markdown_table(scores.overview())]
    if (differences := scores.differences()).rows:
        parts += ["## What each part adds", ADDED, markdown_table(differences)]
    for corpus in scores.corpora:
        parts += [f"## {corpus}", *scores.corpus_sections(corpus)]
    if of_test:
        parts += ["## Test parts", markdown_table(of_test.overview())]
        if (differences := of_test.differences()).rows:
            parts += ["### What each part adds, test parts", ADDED, markdown_table(differences)]
        for corpus in of_test.corpora:
            parts += [f"### {corpus}, test part", markdown_table(of_test.corpus_table(corpus))]
    return "\n\n".join(parts) + "\n"


def mean_of_fields(found: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the mean over the fields of each one's mean, or nothing where one has no score.

    found: the scores of each seed, by corpus.
    """
    fields = [found.get(name, ()) for name in FIELDS]
    return [statistics.mean(map(statistics.mean, fields))] if all(fields) else []


class Scores:
    """The rows of a results file by corpus and system, in the plan's order."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.rows: dict[tuple[str, str], list[Row]] = {}
        several = len({row["bilm"] for row in data["rows"] if row["bilm"]}) > 1
        found: dict[str, list[str]] = {}
        for row in sorted(data["rows"], key=lambda row: row["seed"]):
            named = several and row["bilm"] not in (None, SHIPPED)
            name = f"{row['system']} ({row['bilm']})" if named else row["system"]
            names = found.setdefault(row["system"], [])
            if name not in names:
                names.append(name)
            self.rows.setdefault((row["corpus"], name), []).append(row)
        self.systems = [name for system in data["systems"] for name in found.get(system, ())]
        ran = {corpus for corpus, _ in self.rows}
        self.corpora = [corpus for corpus in data["corpora"] if corpus in ran]

    def values(self, corpus: str, system: str, score: str) -> list[float]:
        return [row["scores"][score] for row in self.rows.get((corpus, system), ())]

    def overview(self) -> Table:
        """One row per system, one column per corpus, and the mean of the fields."""
        rows = []
        for system in self.systems:
            found = {corpus: self.values(corpus, system, "clean") for corpus in self.corpora}
            cells = [spread(values) for values in found.values()]
            if self.has_fields:
                cells.append(spread(mean_of_fields(found)))
            rows.append([system, *cells])
        return Table("All corpora", self._header(), rows)

    @property
    def has_fields(self) -> bool:
        """Whether there is a mean of the fields: some system may have all of them."""
        return set(FIELDS) <= set(self.corpora)

    def _header(self) -> list[str]:
        return ["", *self.corpora, *(["mean of the fields"] if self.has_fields else ())]

    def differences(self) -> Table:
        """One row per pair of systems: F1 of the first less that of the second."""
        rows = []
        for title, first, second in DIFFERENCES:
            added = {corpus: self._added(corpus, first, second) for corpus in self.corpora}
            if all(value is None for value in added.values()):
                continue
            of_fields = (added.get(name) for name in FIELDS)
            fields = [value for value in of_fields if value is not None]
            values = list(added.values())
            if self.has_fields:
                values.append(statistics.mean(fields) if len(fields) == len(FIELDS) else None)
            rows.append([title, *map(_points, values)])
        return Table("Differences", self._header(), rows)

    def _added(self, corpus: str, first: str, second: str) -> float | None:
        by_seed = [
            {row["seed"]: row["scores"]["clean"] for row in self.rows.get((corpus, system), ())}
            for system in (first, second)
        ]
        seeds = by_seed[0].keys() & by_seed[1].keys()
        if not seeds:
            return None
        return statistics.mean(by_seed[0][seed] - by_seed[1][seed] for seed in seeds)

    def corpus_sections(self, corpus: str) -> Iterator[str]:
        """How many entities were seen in training, and every system's figures."""
        systems = [system for system in self.systems if (corpus, system) in self.rows]
        first = self.rows[corpus, systems[0]][0]["scores"]
        n_seen, n_unseen = first["n_seen"], first["n_unseen"]
        yield (
            f"{n_seen + n_unseen:,} entities, of which {n_seen:,} are entities in the training "
            "part with the same words, whatever their type."
        )
        yield markdown_table(self.corpus_table(corpus))

    def corpus_table(self, corpus: str) -> Table:
        """Build one row per system: its figures on this corpus."""
        rows = []
        for system in (name for name in self.systems if (corpus, name) in self.rows):
            cells = [spread(self.values(corpus, system, score)) for score in COLUMNS]
            rows.append([system, f"{len(self.rows[corpus, system])}", *cells])
        return Table(corpus, ["", "seeds", *COLUMNS.values()], rows)


def _points(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:+.2f}"
