"""``python -m spacy elmo report``: show a comparison that has been run."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.metrics import check_extras
from ..comparison.render import render_terminal
from ..comparison.results import Results, read_results
from ..comparison.texts import TEXTS, read_texts


def report_cli(
    results: Annotated[Path, typer.Argument(help="results.json that `elmo compare` wrote")],
    html: Annotated[
        bool,
        typer.Option("--html", help="Write report.html and its charts again, next to the results."),
    ] = False,
    open_page: Annotated[
        bool,
        typer.Option("--open", help="Open report.html in a browser; write it if it is missing."),
    ] = False,
) -> None:
    """Print the tables of a finished comparison, and show its report; nothing is run again."""
    page = results.with_name("report.html")
    try:
        comparison = read_results(results)
        print(render_terminal(comparison))
        if html or (open_page and not page.is_file()):
            _write(comparison, results.parent)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        msg.info(f"No browser to open here. The report is {page}")


def _write(results: Results, folder: Path) -> None:
    check_extras()
    # matplotlib belongs to the ``project`` extra: every other command works without it.
    from ..comparison.report.page import write_report

    written = write_report(results, read_texts(folder / TEXTS), folder)
    msg.good(f"Wrote {written[0]} and {len(written) - 1} charts")
