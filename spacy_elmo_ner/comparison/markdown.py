"""A comparison in Markdown: the whole of it for results.md, its heart for a README."""

from collections.abc import Iterator, Mapping
from typing import Any

from .examples import marked_text
from .results import Example, Results, results_from_json
from .table import (
    LEGEND,
    Table,
    accuracy_table,
    corpus_title,
    pipeline_table,
    remarks,
    timing_remark,
    type_detail_table,
    type_table,
)


def render_markdown(results: Results) -> str:
    """Everything a comparison found, as one document."""
    parts = ["# Comparison", *_body(results), "## Every type, every pipeline"]
    for corpus in results.corpora:
        parts.append(f"### {corpus_title(corpus)}")
        for system in corpus.systems:
            table = type_detail_table(corpus, system.pipeline)
            if table is not None:
                parts.append(_markdown_table(table))
    facts = ", ".join(f"{name} {value}" for name, value in results.environment.items())
    parts += ["## Made with", f"{results.created}. {facts}."]
    return "\n\n".join(parts) + "\n"


def render_readme(results_json: Mapping[str, Any]) -> str:
    """The part of a README that shows a parsed results.json; ends with a newline.

    Raises ValueError (EL301, EL302) where the JSON is no such file of this version.
    """
    results = results_from_json(results_json)
    made = f"Made by `python -m spacy elmo compare`, {results.created.partition('T')[0]}."
    return "\n\n".join([*_body(results), made]) + "\n"


def _body(results: Results) -> Iterator[str]:
    for corpus in results.corpora:
        yield f"### {corpus_title(corpus)}"
        yield _markdown_table(accuracy_table(corpus))
        types = type_table(corpus)
        if types is not None:
            yield f"{types.title}:"
            yield _markdown_table(types)
    yield LEGEND
    for example in results.examples:
        yield f"{example.title}:"
        yield _markdown_table(_side_by_side(example))
    yield "### Speed and size"
    yield _markdown_table(pipeline_table(results))
    timing = timing_remark(results)
    if timing is not None:
        yield timing
    lines = remarks(results)
    if lines:
        yield "\n".join(f"- {line}" for line in lines)


def _side_by_side(example: Example) -> Table:
    words = [_escape(word) for word in example.words]
    rows = [
        [name, marked_text(words, spans, "**{text}** `{label}`")]
        for name, spans in example.readings.items()
    ]
    return Table(example.title, ["", "entities"], rows, frozenset({0, 1}))


def _markdown_table(table: Table) -> str:
    rule = ["---" if i in table.text_columns else "---:" for i in range(len(table.header))]
    rows = [[_cell(cell) for cell in row] for row in (table.header, rule, *table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _escape(text: str) -> str:
    """Characters that Markdown would take for markup, in words that come from a corpus."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]" else char for char in text)
