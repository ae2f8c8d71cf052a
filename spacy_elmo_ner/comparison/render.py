"""Write a comparison as text: in Markdown, whole or for a README, and in the terminal."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from wasabi import table as wasabi_table

from . import captions
from .detail_tables import detail_tables
from .results import Example, LabeledSpan, ProbableErrors, Results, results_from_json
from .tables import Table, corpus_title, main_tables, pipeline_table, type_detail_table


def marked_text(words: Sequence[str], spans: Sequence[LabeledSpan], mark: str) -> str:
    """Write the text on one line, each entity as ``mark`` with {text} and {label}."""
    pieces: list[str] = []
    position = 0
    for start, end, label in sorted(spans):
        pieces.extend(words[position:start])
        pieces.append(mark.format(text=" ".join(words[start:end]), label=label))
        position = end
    pieces.extend(words[position:])
    return " ".join(pieces)


# ---- Markdown -------------------------------------------------------------------------------


def render_markdown(results: Results) -> str:
    """Write everything a comparison found as one document."""
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
        parts += ["## Probable annotation errors", captions.NEVER_CHANGED]
        for errors in results.probable_errors:
            parts += [f"{captions.errors_title(errors)}:", markdown_table(_probable_errors(errors))]
    facts = ", ".join(f"{name} {value}" for name, value in results.environment.items())
    parts += ["## Made with", f"{results.created}. {facts}."]
    return "\n\n".join(parts) + "\n"


def render_readme(results_json: Mapping[str, Any], pictures: Sequence[tuple[str, str]] = ()) -> str:
    """Write the part of a page that shows a parsed results.json; ends with a newline.

    pictures: (path as the page links it, text alternative), shown at the end.
    Raises ValueError (EL301, EL302) if the JSON is no such file of this version.
    """
    results = results_from_json(results_json)
    made = f"Made by `python -m spacy elmo compare`, {results.created.partition('T')[0]}."
    shown = [f"![{_cell(alternative)}]({path})" for path, alternative in pictures]
    return "\n\n".join([*_body(results, reasons=False), *shown, made]) + "\n"


def _body(results: Results, *, reasons: bool = True) -> Iterator[str]:
    for corpus in results.corpora:
        yield f"### {corpus_title(corpus)}"
        for table in main_tables(corpus):
            yield f"{table.title}:"
            yield markdown_table(table)
    yield captions.legend(results)
    for example in results.examples:
        yield f"{example.title}:"
        yield markdown_table(_side_by_side(example))
    yield "### Speed and size"
    yield markdown_table(pipeline_table(results))
    timing = captions.timing_remark(results)
    if timing is not None:
        yield timing
    lines = captions.remarks(results, reasons=reasons)
    if lines:
        yield "\n".join(f"- {line}" for line in lines)


def _side_by_side(example: Example) -> Table:
    words = [_escape(word) for word in example.words]
    rows = [
        [name, marked_text(words, spans, "**{text}** `{label}`")]
        for name, spans in example.readings.items()
    ]
    return Table(example.title, ["", "entities"], rows, frozenset({0, 1}))


def _probable_errors(errors: ProbableErrors) -> Table:
    rows = []
    for row in errors.rows:
        before, words, after = map(_escape, captions.marked_words(row.context))
        text = f"{before}**{words}**{after}"
        rows.append([row.kind, text, *map(_escape, captions.error_cells(row))])
    return Table(
        captions.errors_title(errors), captions.ERROR_HEADER, rows, captions.ERROR_TEXT_COLUMNS
    )


def markdown_table(table: Table) -> str:
    """Write a table in Markdown, its figures aligned to the right."""
    rule = ["---" if i in table.text_columns else "---:" for i in range(len(table.header))]
    rows = [[_cell(cell) for cell in row] for row in (table.header, rule, *table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _escape(text: str) -> str:
    """Escape characters that Markdown would take for markup, in words from a corpus."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]" else char for char in text)


# ---- terminal -------------------------------------------------------------------------------


def render_terminal(results: Results, width: int | None = None) -> str:
    """Write tables, side-by-side texts and remarks, running text wrapped to ``width``."""
    columns = width or shutil.get_terminal_size((100, 24)).columns
    blocks: list[str] = []
    for corpus in results.corpora:
        blocks.append(corpus_title(corpus))
        for table in main_tables(corpus):
            blocks += [table.title, _text_table(table)]
    blocks += _examples(results, columns)
    blocks += ["Speed and size", _text_table(pipeline_table(results))]
    for line in (
        captions.legend(results),
        captions.timing_remark(results),
        *captions.remarks(results),
    ):
        if line is not None:
            blocks.append(textwrap.fill(line, columns))
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _examples(results: Results, columns: int) -> Iterator[str]:
    for example in results.examples:
        yield f"{example.title}"
        margin = max(map(len, example.readings)) + 2
        yield "\n".join(
            textwrap.fill(
                marked_text(example.words, spans, "[{text} = {label}]"),
                max(columns, margin + 20),
                initial_indent=name.ljust(margin),
                subsequent_indent=" " * margin,
                break_on_hyphens=False,
            )
            for name, spans in example.readings.items()
        )


def _text_table(table: Table) -> str:
    aligns: list[Literal["l", "r"]] = [
        "l" if i in table.text_columns else "r" for i in range(len(table.header))
    ]
    return str(
        wasabi_table(table.rows, header=table.header, aligns=aligns, divider=True, max_col=60)
    )
