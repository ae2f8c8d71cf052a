"""The report as one HTML file that needs nothing else: no network, no second file."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...files import atomic_file
from ..audits import (
    ERROR_HEADER,
    NEVER_CHANGED,
    TEXT_COLUMNS,
    error_cells,
    errors_title,
    marked_words,
)
from ..detail import agreement_table, detail_tables, main_tables
from ..remarks import legend, remarks, timing_remark
from ..results import Results, write_atomically
from ..table import Table, corpus_title, pipeline_table, type_detail_table
from ..texts import Texts
from .charts import draw_charts
from .drawing import Chart
from .side_by_side import draw_example, tints
from .summary import summarise

FOLDER = Path(__file__).parent

PAGE, CHARTS = "report.html", "charts"


def write_report(results: Results, texts: Texts, folder: Path) -> list[Path]:
    """Write report.html and charts/NAME.png into the folder; returns what was written."""
    charts = draw_charts(results)
    page = folder / PAGE
    write_atomically(page, render_page(results, texts, charts))
    return [page, *write_pictures(charts, folder / CHARTS)]


def write_pictures(charts: Sequence[Chart], folder: Path) -> list[Path]:
    """Write each chart as NAME.png into the folder; returns the paths in the charts' order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for chart in charts:
        path = folder / f"{chart.key}.png"
        with atomic_file(path) as temporary:
            temporary.write_bytes(chart.png())
        written.append(path)
    return written


def render_page(results: Results, texts: Texts, charts: Sequence[Chart]) -> str:
    """The whole page as text."""
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
        others=[(corpus_title(each), main_tables(each)) for each in others],
        style=Markup((FOLDER / "report.css").read_text(encoding="utf8")),
        script=Markup(script),
        # Only this script may run, whatever stands in the texts.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        summary=summarise(results) if first.has_gold else None,
        agreement=None if first.has_gold else agreement_table(first),
        main=main_tables(first)[1:] if first.has_gold else [],
        details=_details(results),
        charts=[(chart, Markup(chart.svg())) for chart in charts],
        examples=[draw_example(each, colors) for each in texts.examples()],
        errors=[
            (
                errors_title(found),
                [(row.kind, marked_words(row.context), error_cells(row)) for row in found.rows],
            )
            for found in results.probable_errors
        ],
        errors_header=ERROR_HEADER,
        errors_text_columns=TEXT_COLUMNS,
        errors_remark=NEVER_CHANGED,
        texts=texts,
        payload=_payload(texts),
        pipelines=pipeline_table(results),
        legend=legend(results),
        timing=timing_remark(results),
        remarks=remarks(results),
    )


def _details(results: Results) -> list[Table]:
    first = results.corpora[0]
    per_pipeline = [type_detail_table(first, each.pipeline) for each in first.systems]
    # Without gold the one main table stands in the summary.
    accuracy = main_tables(first)[:1] if first.has_gold else []
    return [*accuracy, *detail_tables(first), *(each for each in per_pipeline if each)]


def _payload(texts: Texts) -> Markup:
    """The texts as JSON that cannot end the script element it stands in."""
    return Markup(texts.to_json().replace("<", "\\u003c").replace("\u2028", "\\u2028"))
