"""The text of docs/accuracy.md, from the scores of trained plans."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import NER_TITLES, TAG_TITLES, Table, percent, spread


def accuracy_sections(
    released: dict[str, Any] | None,
    ablation: dict[str, Any] | None,
    cases: dict[str, Any] | None = None,
    seed_split: dict[str, Any] | None = None,
) -> Iterator[str]:
    """Write the case table, the test parts, every system with all its seeds, and each choice."""
    if cases:
        yield (
            f"## The pipeline in any case\n\nen_elmo_gmb_sm on {cases['corpus']}, "
            f"{cases['n_docs']:,} texts, as it is in this version and as it was in 0.1.0: entities "
            "by Scorer on gold tokens, tags, and the error of calibration, by how many points "
            "probabilities are off on average."
        )
        yield markdown_table(cases_table(cases["rows"]))
    if seed_split:
        yield (
            "## The seed split, with this version\n\nTrained once on the training part of the "
            f"article's split, scored on {seed_split['corpus']}, {seed_split['n_docs']:,} texts. "
            "configs/seed.cfg is the article's model and its one epoch on `small-en` instead of "
            "ELMo's original weights, with which the article has an F1 of 81.2 and 97.1 % of the "
            "tags. docs/results/comparison.md has other trainings by the same configs. The tables "
            "below this one are of 0.1.0, whose heads had twice as many units and no word vectors."
        )
        yield markdown_table(cases_table(seed_split["rows"]))
    for part in released["parts"] if released else ():
        yield from part_sections(part)
    if ablation:
        yield (
            f"## {ablation['title']}\n\nOn dev, of configs/elmo.cfg as it was in 0.1.0; the "
            "difference is to the first row."
        )
        yield markdown_table(ablation_table(ablation["rows"]))


CASE_SCORES = {
    "ents_f": "F1",
    "ents_p": "precision",
    "ents_r": "recall",
    "tag_acc": "tags",
    "entity_calibration_error": "entities off by",
    "tag_calibration_error": "tags off by",
}
CASE_TITLES = {"clean": "as written", "lower": "lower", "upper": "UPPER", "title": "Title"}


def cases_table(measured: Sequence[dict[str, Any]]) -> Table:
    """Build scores per pipeline and case."""
    rows = [
        [
            row["pipeline"],
            CASE_TITLES[row["case"]],
            *(percent(row[score]) for score in CASE_SCORES),
        ]
        for row in measured
    ]
    return Table("Cases", ["", "text", *CASE_SCORES.values()], rows, frozenset({0, 1}))


def part_sections(part: dict[str, Any]) -> Iterator[str]:
    """Write one test part: all metrics, entity types, and agreement between systems."""
    systems = part["systems"]
    yield (
        f"## {part['corpus']}, {part['part']}, version 0.1.0\n\n{part['n_docs']:,} texts, "
        f"{part['n_words']:,} words, {part['n_entities']:,} entities."
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
            "Agreement between systems, first seed of each: entity F1 of one against the other. "
            "Where they agree more with each other than with gold, gold contradicts itself."
        )
        rows = [
            [f"{pair['first']} and {pair['second']}", spread([pair["entities"]])]
            for pair in part["agreement"]
        ]
        yield markdown_table(Table("Agreement", ["", "F1"], rows))
        if part["unanimous"]["found"]:
            yield unanimity(part["unanimous"])


def unanimity(found: dict[str, int]) -> str:
    """Say what all systems and seeds find alike, and how gold differs."""
    n = found["found"]
    wrong = n - found["right"]
    return (
        f"All trained systems with all seeds agree on {n:,} entities. {wrong:,} of them "
        f"({wrong / n:.1%}) differ from the gold annotation: {found['other_label']:,} have another "
        f"label there, {found['other_bounds']:,} other bounds, {found['nothing']:,} are not there."
    )


def score_table(systems: Sequence[dict[str, Any]]) -> Table:
    """Build one row per system, one column per metric that any of them has."""
    ner = [mode for mode in NER_TITLES if any(mode in system["ner"] for system in systems)]
    tags = [mode for mode in TAG_TITLES if any(mode in system["tags"] for system in systems)]
    header = [
        *("", "seeds"),
        *(NER_TITLES[mode] for mode in ner),
        *(TAG_TITLES[mode] for mode in tags),
        *("calibration error, entities", "tags"),
    ]
    rows = [
        [
            system["name"],
            f"{len(system['seeds'])}",
            *(spread(system["ner"].get(mode, ())) for mode in ner),
            *(spread(system["tags"].get(mode, ())) for mode in tags),
            *(spread(system["calibration_error"].get(layer, ())) for layer in ("ner", "tags")),
        ]
        for system in systems
    ]
    return Table("Scores", header, rows)


def ablation_table(experiments: Sequence[dict[str, Any]]) -> Table:
    """Build entity F1 on dev with each choice, and its difference to the first row."""
    first = statistics.mean(experiments[0]["ents_f"])
    rows = []
    for number, row in enumerate(experiments):
        difference = f"{100 * (statistics.mean(row['ents_f']) - first):+.2f}" if number else ""
        minutes = f"{statistics.mean(row['minutes']):.0f}"
        seeds = f"{len(row['seeds'])}"
        rows.append([row["experiment"], seeds, spread(row["ents_f"]), difference, minutes])
    return Table("Ablation", ["", "seeds", "entity F1", "difference", "minutes"], rows)
