"""What every benchmark writes: its figures as JSON, and the machine they were taken on."""

import json
import platform
from pathlib import Path
from typing import Any

from spacy_elmo_ner.comparison.results import write_atomically


def machine(threads: int) -> dict[str, Any]:
    return {"cpu": platform.processor() or platform.machine(), "threads": threads}


def write(path: Path, data: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(data, indent=1) + "\n")
    print(f"Wrote {path}")
