"""Write the results of a comparison into README.md, or check that they are there.

    python scripts/readme_tables.py metrics/compare/results.json [--readme README.md] [--check]

With --check nothing is written; the exit status is 1 where the README is out of date.
"""

import argparse
import json
import sys
from pathlib import Path

from spacy_elmo_ner.comparison.markdown import render_readme
from spacy_elmo_ner.comparison.readme import with_results
from spacy_elmo_ner.comparison.results import write_atomically


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="results.json of a comparison")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    options = parser.parse_args(arguments)
    try:
        results = json.loads(options.results.read_text(encoding="utf8"))
        current = options.readme.read_text(encoding="utf8")
        updated = with_results(current, render_readme(results), options.readme)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if updated == current:
        print(f"{options.readme} is up to date with {options.results}")
        return 0
    if options.check:
        print(
            f"{options.readme} is out of date. Run: "
            f"python scripts/readme_tables.py {options.results} --readme {options.readme}"
        )
        return 1
    write_atomically(options.readme, updated)
    print(f"Wrote the results of {options.results} into {options.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
