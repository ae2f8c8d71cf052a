"""Write the report as one HTML file that needs neither a network nor a second file."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from spacy import displacy

from ...files import write_text
from .. import captions
from ..detail_tables import detail_tables
from ..examples import GOLD
from ..plotting import Chart, write_pictures
from ..results import Example, LabeledSpan, Results
from ..tables import (
    Table,
    agreement_table,
    corpus_title,
    main_tables,
    pipeline_table,
    type_detail_table,
)
from ..texts import Texts
from .charts import draw_charts
from .summary import summarise

FOLDER = Path(__file__).parent

PAGE, CHARTS = "report.html", "charts"

# Colours for entity types in the style sheet.
N_TINTS = 10

_ENTITY = '<mark style="--tint: {bg}">{text}<span class="label">{label}</span></mark>'


def write_report(results: Results, texts: Texts, folder: Path) -> list[Path]:
    """Write report.html and charts/NAME.png into the folder; return the paths written."""
    charts = draw_charts(results)
    page = folder / PAGE
    write_text(page, render_page(results, texts, charts))
    return [page, *write_pictures(charts, folder / CHARTS)]


def render_page(results: Results, texts: Texts, charts: Sequence[Chart]) -> str:
    """Return the whole page as text."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (FOLDER / "report.js").read_text(encoding="utf8")
    first, *others = results.corpora
    colors = tints(texts.labels)
    return environment.get_template("report.html.jinja").render(
        title=corpus_title(first),
        results=results,
        first=first,
        others=[(corpus_title(corpus), main_tables(corpus)) for corpus in others],
        style=Markup((FOLDER / "report.css").read_text(encoding="utf8")),
        script=Markup(script),
        # Only this script may run, whatever the texts contain.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        summary=summarise(results) if first.has_gold else None,
        agreement=None if first.has_gold else agreement_table(first),
        main=main_tables(first)[1:] if first.has_gold else [],
        details=_details(results),
        charts=[(chart, Markup(chart.svg())) for chart in charts],
        examples=[draw_example(example, colors) for example in texts.examples()],
        errors=[
            (
                captions.errors_title(errors),
                [
                    (row.kind, captions.marked_words(row.context), captions.error_cells(row))
                    for row in errors.rows
                ],
            )
            for errors in results.probable_errors
        ],
        errors_header=captions.ERROR_HEADER,
        errors_text_columns=captions.ERROR_TEXT_COLUMNS,
        errors_remark=captions.NEVER_CHANGED,
        texts=texts,
        payload=_payload(texts),
        pipelines=pipeline_table(results),
        legend=captions.legend(results),
        timing=captions.timing_remark(results),
        remarks=captions.remarks(results),
    )


def _details(results: Results) -> list[Table]:
    first = results.corpora[0]
    per_pipeline = [type_detail_table(first, system.pipeline) for system in first.systems]
    # Without gold, the only main table is shown in the summary.
    accuracy = main_tables(first)[:1] if first.has_gold else []
    return [*accuracy, *detail_tables(first), *(table for table in per_pipeline if table)]


def _payload(texts: Texts) -> Markup:
    """Return the texts as JSON that cannot end the script element around it."""
    return Markup(texts.to_json().replace("<", "\\u003c").replace("\u2028", "\\u2028"))


# ---- texts side by side ---------------------------------------------------------------------


class Drawn(NamedTuple):
    """Holds one system's reading as HTML; ``right`` is None for gold itself and without gold."""

    name: str
    html: str
    right: bool | None


class DrawnExample(NamedTuple):
    """Holds one text with every reading of it, in the order of the systems."""

    title: str
    readings: list[Drawn]


def tints(labels: Sequence[str]) -> dict[str, str]:
    """Give each label a CSS colour, one of the style sheet's tints."""
    return {label: f"var(--tint-{index % N_TINTS})" for index, label in enumerate(sorted(labels))}


def draw_example(example: Example, colors: Mapping[str, str]) -> DrawnExample:
    """Draw every reading of one text with displaCy."""
    gold = example.readings.get(GOLD)
    return DrawnExample(
        example.title,
        [
            Drawn(
                name,
                _render(example.words, spans, colors),
                None if gold is None or name == GOLD else set(spans) == set(gold),
            )
            for name, spans in example.readings.items()
        ],
    )


def _render(words: Sequence[str], spans: Sequence[LabeledSpan], colors: Mapping[str, str]) -> str:
    starts, position = [], 0
    for word in words:
        starts.append(position)
        position += len(word) + 1
    ents = [
        {
            "start": starts[start],
            "end": starts[end - 1] + len(words[end - 1]),
            "label": label,
            # displaCy escapes the text but not the label.
            "params": {"label": escape(label)},
        }
        for start, end, label in sorted(spans)
    ]
    return displacy.render(
        {"text": " ".join(words), "ents": ents, "title": None},
        style="ent",
        manual=True,
        jupyter=False,
        options={"colors": dict(colors), "template": _ENTITY},
    )
