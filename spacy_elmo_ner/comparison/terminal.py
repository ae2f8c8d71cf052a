"""A comparison in the terminal: the same tables, plain text."""

import shutil
import textwrap
from collections.abc import Iterator
from typing import Literal

from wasabi import table as wasabi_table

from .detail import main_tables
from .examples import marked_text
from .remarks import legend, remarks, timing_remark
from .results import Results
from .table import Table, corpus_title, pipeline_table


def render_terminal(results: Results, width: int | None = None) -> str:
    """Tables, side-by-side texts and remarks as text, running text wrapped to ``width``."""
    columns = width or shutil.get_terminal_size((100, 24)).columns
    blocks: list[str] = []
    for corpus in results.corpora:
        blocks.append(corpus_title(corpus))
        for table in main_tables(corpus):
            blocks += [table.title, _text_table(table)]
    blocks += _examples(results, columns)
    blocks += ["Speed and size", _text_table(pipeline_table(results))]
    for line in (legend(results), timing_remark(results), *remarks(results)):
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
