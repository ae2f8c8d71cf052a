"""A comparison in Markdown: the whole of it for results.md, its heart for a README."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .audits import (
    ERROR_HEADER,
    NEVER_CHANGED,
    TEXT_COLUMNS,
    error_cells,
    errors_title,
    marked_words,
)
from .detail import detail_tables, main_tables
from .examples import marked_text
from .findings import ProbableErrors
from .remarks import legend, remarks, timing_remark
from .results import Example, Results, results_from_json
from .table import Table, corpus_title, pipeline_table, type_detail_table


def render_markdown(results: Results) -> str:
    """Everything a comparison found, as one document."""
    parts = ["# Comparison", *_body(results), "## In detail"]
    for corpus in results.corpora:
        parts.append(f"### {corpus_title(corpus)}")
        for table in detail_tables(corpus):
            parts += [f"{table.title}:", markdown_table(table)]
        for system in corpus.systems:
            types = type_detail_table(corpus, system.pipeline)
            if types is not None:
                parts += [f"{types.title}:", markdown_table(types)]
    if results.probable_errors:
        parts += ["## Probable annotation errors", NEVER_CHANGED]
        for found in results.probable_errors:
            parts += [f"{errors_title(found)}:", markdown_table(_probable_errors(found))]
    facts = ", ".join(f"{name} {value}" for name, value in results.environment.items())
    parts += ["## Made with", f"{results.created}. {facts}."]
    return "\n\n".join(parts) + "\n"


def render_readme(results_json: Mapping[str, Any], pictures: Sequence[tuple[str, str]] = ()) -> str:
    """The part of a README that shows a parsed results.json; ends with a newline.

    pictures: (path as the README is to link it, text alternative), shown at the end.
    Raises ValueError (EL301, EL302) where the JSON is no such file of this version.
    """
    results = results_from_json(results_json)
    made = f"Made by `python -m spacy elmo compare`, {results.created.partition('T')[0]}."
    shown = [f"![{_cell(alternative)}]({path})" for path, alternative in pictures]
    return "\n\n".join([*_body(results), *shown, made]) + "\n"


def _body(results: Results) -> Iterator[str]:
    for corpus in results.corpora:
        yield f"### {corpus_title(corpus)}"
        for table in main_tables(corpus):
            yield f"{table.title}:"
            yield markdown_table(table)
    yield legend(results)
    for example in results.examples:
        yield f"{example.title}:"
        yield markdown_table(_side_by_side(example))
    yield "### Speed and size"
    yield markdown_table(pipeline_table(results))
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


def _probable_errors(found: ProbableErrors) -> Table:
    rows = []
    for row in found.rows:
        before, words, after = map(_escape, marked_words(row.context))
        text = f"{before}**{words}**{after}"
        rows.append([row.kind, text, *map(_escape, error_cells(row))])
    return Table(errors_title(found), ERROR_HEADER, rows, TEXT_COLUMNS)


def markdown_table(table: Table) -> str:
    rule = ["---" if i in table.text_columns else "---:" for i in range(len(table.header))]
    rows = [[_cell(cell) for cell in row] for row in (table.header, rule, *table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _escape(text: str) -> str:
    """Characters that Markdown would take for markup, in words that come from a corpus."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]" else char for char in text)
