"""``python -m spacy elmo report``: print a comparison that has been run."""

import json
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.results import results_from_json
from ..comparison.terminal import render_terminal
from ..errors import Errors


def report_cli(
    results: Annotated[Path, typer.Argument(help="results.json that `elmo compare` wrote")],
) -> None:
    """Print the tables of a comparison again, without running anything."""
    if not results.is_file():
        msg.fail(Errors.EL502.format(path=results), exits=1)
    try:
        print(render_terminal(results_from_json(json.loads(results.read_text(encoding="utf8")))))
    except ValueError as error:
        msg.fail(str(error), exits=1)
