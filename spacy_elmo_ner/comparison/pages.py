"""Pages of the documentation that scripts write from results files."""

import json
from pathlib import Path
from typing import Any

from .results import write_atomically


def read_benchmark(path: Path) -> dict[str, Any] | None:
    """What a results file holds; None where there is none."""
    return json.loads(path.read_text(encoding="utf8")) if path.is_file() else None


def update_page(path: Path, text: str, command: str, *, check: bool) -> int:
    """Write the text unless it is there already, or only say whether it is.

    command: what writes the page, for people to run. Returns an exit status, 1 where check
    found the page out of date. Raises OSError where it cannot be written; it is then as before.
    """
    if path.is_file() and path.read_text(encoding="utf8") == text:
        print(f"{path} is up to date")
        return 0
    if check:
        print(f"{path} is out of date. Run: {command}")
        return 1
    write_atomically(path, text)
    print(f"Wrote {path}")
    return 0
