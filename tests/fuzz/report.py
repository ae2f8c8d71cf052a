"""The tables of docs/trust.md, from what the long runs left: ``python -m tests.fuzz.report``."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scripts.pages import between_marks
from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table
from spacy_elmo_ner.files import write_text

from . import results

PAGE = results.ROOT / "docs" / "trust.md"


def main() -> None:
    page = PAGE.read_text(encoding="utf8")
    for name, table in TABLES.items():
        page = between_marks(page, table(), PAGE, name)
    write_text(PAGE, page)


def inputs() -> str:
    readers, documents = results.read("readers"), results.read("documents")
    rows = []
    totals = [0, 0]
    for name, counts in sorted(readers["targets"].items()):
        n = sum(counts.values())
        crashes = counts.get("crash", 0)
        guided = counts.get("guided", 0)
        codes = sorted(code for code in counts if code.startswith("EL"))
        rows.append([f"`{name}`", n, guided, ", ".join(codes), crashes])
        totals = [totals[0] + n, totals[1] + crashes]
    n_problems = len(documents["problems"])
    what = f"Docs, {documents['tokens']:,} tokens"
    rows.append([what, documents["docs"], 0, "", n_problems])
    totals = [totals[0] + documents["docs"], totals[1] + n_problems]
    rows.append(["**all**", totals[0], "", "", totals[1]])
    header = ["input", "tried", "of these by atheris", "refused with", "crashes"]
    return _table(header, rows) + _made(readers, documents)


def faults() -> str:
    found = results.read("faults")
    rows, total, losses = [], 0, 0
    for writer, by_fault in found["writers"].items():
        for fault, left in by_fault.items():
            n = sum(left.values())
            kinds = ", ".join(f"{k} {kind}" for kind, k in sorted(left.items()) if kind != "loss")
            rows.append([writer, fault, n, kinds, left.get("loss", 0)])
            total, losses = total + n, losses + left.get("loss", 0)
    rows.append(["**all**", "", total, "", losses])
    return _table(["writer", "fault", "times", "what was left", "losses"], rows) + _made(found)


def memory() -> str:
    found = results.read("memory")
    rows = [
        [
            f"{row['docs']:,} of {row['tokens']:,} tokens",
            row["megabytes_before"],
            row["megabytes_at_most"],
            round(row["megabytes_at_most"] - row["megabytes_before"], 1),
        ]
        for row in found["rows"]
    ]
    header = ["Docs", "MB before", "MB at most", "MB for it"]
    return _table(header, rows) + f"\n\n{_slopes(found['rows'])}" + _made(found)


def _slopes(rows: Sequence[dict[str, Any]]) -> str:
    long = sorted((row for row in rows if row["docs"] == 1), key=lambda row: row["tokens"])
    short = sorted((row for row in rows if row["docs"] > 1), key=lambda row: row["docs"])
    texts = []
    for (first, last), by, unit in (
        ((long[-2], long[-1]), "tokens", "token of one Doc"),
        ((short[0], short[-1]), "docs", "Doc of a stream"),
    ):
        if last[by] == first[by]:
            continue
        more = last["megabytes_at_most"] - first["megabytes_at_most"]
        slope = more * 1024 / (last[by] - first[by])
        texts.append(f"{slope:.2f} KB for each further {unit}")
    return f"Slope: {'; '.join(texts)}."


def soak() -> str:
    found = results.read("soak")
    rows = []
    for name, share in (("start", 0.0), ("a quarter", 0.25), ("middle", 0.5), ("end", 1.0)):
        wanted = share * found["words"]
        row = min(found["samples"], key=lambda row: abs(row["words"] - wanted))
        rows.append([name, f"{row['seconds'] / 60:.0f}", row["words"], row["megabytes"]])
    told = (
        f"\n\n{found['docs']:,} Docs of {found['words']:,} words in {found['minutes']:.0f} minutes "
        f"({found['cpu_minutes']:.0f} of one processor), {len(found['problems'])} problems."
    )
    return _table(["", "minute", "words so far", "MB"], rows) + told + _made(found)


def determinism() -> str:
    found = results.read("determinism")
    rows = [
        [
            row["what"],
            f"{row['max_diff']:.1e}" if row["max_diff"] else "0",
            f"{row['allowed']:.0e}" if row["allowed"] else "0",
            row["n_other"],
        ]
        for row in found["rows"]
    ]
    header = ["varied", "max abs difference", "allowed", "Docs with other tags or entities"]
    n = f"\n\n{found['docs']} Docs of {found['tokens']:,} tokens."
    return _table(header, rows) + n + _made(found)


TABLES: dict[str, Callable[[], str]] = {
    "inputs": inputs,
    "faults": faults,
    "memory": memory,
    "soak": soak,
    "determinism": determinism,
}


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [[_cell(cell) for cell in row] for row in rows]
    return markdown_table(Table("", list(header), cells, frozenset(range(len(header)))))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _made(*found: dict[str, Any]) -> str:
    commands = "; ".join(f"`{one['command']}`" for one in found)
    with_ = ", ".join(f"{name} {value}" for name, value in found[0]["made_with"].items())
    return f"\n\nMade by {commands} with {with_}."


if __name__ == "__main__":
    main()
