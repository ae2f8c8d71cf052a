"""The measured part of docs/annotate.md, from benchmarks/results/annotate.json."""

from collections.abc import Iterator
from typing import Any

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table

# Of the texts: memory is shown after so many.
TENTHS = (1, 2, 4, 6, 8, 10)


def annotate_sections(found: dict[str, Any]) -> Iterator[str]:
    """Write what was measured of the command: speed, memory, and runs that were killed."""
    yield (
        f"Measured with {found['pipeline']} by `python -m benchmarks.annotate PIPELINE`, one "
        f"thread per process, {found['machine']['cpu'].partition(' avx')[0]}; ratios are "
        "medians of runs beside each other."
    )
    yield markdown_table(Table("Speed", ["", "ratio", "words per second"], speed_rows(found)))
    if memory := found.get("memory"):
        yield (
            "Resident memory in MB, while texts go through in which every tenth word was never "
            "there before:"
        )
        columns = ["", *(f"{tenth}0 %" for tenth in TENTHS)]
        yield markdown_table(Table("Memory", columns, memory_rows(memory)))
    if kills := found.get("kills"):
        same = "the same rows" if kills["same_as_undisturbed"] else "OTHER ROWS"
        lost = f"{kills['rows_missing']} missing, {kills['rows_twice']} twice"
        yield (
            f"Killed {kills['killed']} times with `kill -9` at random moments and continued, a run "
            f"over {kills['texts']:,} texts wrote {same} as an undisturbed one: {lost}."
        )


def speed_rows(found: dict[str, Any]) -> list[list[str]]:
    """Return the rows of all speeds there are."""
    rows = []
    if speed := found.get("speed"):
        rates = speed["words_per_second"]
        for name, told in (
            ("loop_all", "against a loop over `nlp.pipe` that writes the same fields"),
            ("loop_ents", "against one that writes entities alone"),
        ):
            rate = f"{rates['annotate']:,} and {rates[name]:,}"
            rows.append([told, f"{speed[f'ratio_of_{name}']['median']:.2f}x", rate])
    if processes := found.get("processes"):
        rates = processes["words_per_second"]
        told = f"{rates['2']:,} and {rates['1']:,}"
        rows.append(["two processes against one", f"{processes['ratio']['median']:.2f}x", told])
    if ray := found.get("ray"):
        rates = ray["words_per_second"]
        told = f"{rates['actor']:,} and {rates['process']:,}"
        rows.append(["a Ray actor against a process", f"{ray['ratio']['median']:.2f}x", told])
    return rows


def memory_rows(memory: dict[str, Any]) -> list[list[str]]:
    """Return a row for each pipeline: memory after each tenth of the texts."""
    names = {"rules": "a pipeline of rules", "pipeline": "this pipeline"}
    return [
        [
            f"{memory[name]['words'] / 1e6:.1f} million words, {told}",
            *(str(memory[name]["megabytes"][tenth - 1][1]) for tenth in TENTHS),
        ]
        for name, told in names.items()
        if name in memory
    ]
