"""Write the results of a comparison into README.md, or check that they are there.

    python scripts/readme_tables.py metrics/compare/results.json [--readme README.md]
        [--pictures FOLDER] [--check]

With --pictures the charts are drawn as PNG files into that folder and linked. With --check nothing
is written; the exit status is 1 where the README is out of date.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from spacy_elmo_ner.comparison.markdown import render_readme
from spacy_elmo_ner.comparison.pages import update_page
from spacy_elmo_ner.comparison.readme import with_results
from spacy_elmo_ner.comparison.report.charts import draw_charts
from spacy_elmo_ner.comparison.report.page import write_pictures
from spacy_elmo_ner.comparison.results import results_from_json

# Of the report's charts, those a README has room for.
SHOWN = ("accuracy-speed", "intervals", "types")


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="results.json of a comparison")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--pictures", type=Path, help="folder for the charts, in the repository")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    options = parser.parse_args(arguments)
    try:
        results = json.loads(options.results.read_text(encoding="utf8"))
        current = options.readme.read_text(encoding="utf8")
        pictures = [] if options.pictures is None else _pictures(results, options)
        updated = with_results(current, render_readme(results, pictures), options.readme)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    command = f"python scripts/readme_tables.py {options.results} --readme {options.readme}"
    return update_page(options.readme, updated, command, check=options.check)


def _pictures(results: dict[str, Any], options: argparse.Namespace) -> list[tuple[str, str]]:
    """(path seen from the README, text alternative) of the charts; drawn unless only checking."""
    charts = [each for each in draw_charts(results_from_json(results)) if each.key in SHOWN]
    if not options.check:
        write_pictures(charts, options.pictures)
    folder = Path(os.path.relpath(options.pictures, options.readme.parent))
    return [
        ((folder / f"{each.key}.png").as_posix(), f"{each.title}. {each.alternative}")
        for each in charts
    ]


if __name__ == "__main__":
    sys.exit(main())
