"""The yardstick's figures: one row per run, kept as they come."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spacy_elmo_ner.files import write_text

from ..output import machine


@dataclass(frozen=True)
class Row:
    """One run. scores: fractions in [0, 1] by name.

    bilm: the biLM's name, or None for a system without one.
    made_from: sha256 of everything that decides the figures but the code.
    train_seconds: CPU seconds of all threads.
    """

    corpus: str
    system: str
    seed: int
    bilm: str | None
    made_from: str
    scores: Mapping[str, float]
    best_step: int
    steps: int
    train_seconds: float

    @property
    def key(self) -> tuple[str, str, int, str | None]:
        return self.corpus, self.system, self.seed, self.bilm


class ResultsFile:
    """Rows of a results file; adding one writes the file.

    heading: what the file says above its rows, such as a title and the order of the systems.
    """

    def __init__(self, path: Path, heading: Mapping[str, Any]) -> None:
        self.path = path
        self.heading = heading
        self.rows: dict[tuple[Any, ...], Row] = {}
        if path.is_file():
            for entry in json.loads(path.read_text(encoding="utf8"))["rows"]:
                row = Row(**entry)
                self.rows[row.key] = row

    def has(self, key: tuple[Any, ...], made_from: str) -> bool:
        """Whether this very run is there; one with the same name made otherwise is not."""
        row = self.rows.get(key)
        return row is not None and row.made_from == made_from

    def add(self, row: Row) -> None:
        # Another process may have written meanwhile, on other corpora or with another biLM.
        self.rows = ResultsFile(self.path, self.heading).rows | {row.key: row}
        data = {
            **self.heading,
            **machine(1),
            "rows": [asdict(self.rows[key]) for key in sorted(self.rows, key=str)],
        }
        write_text(self.path, json.dumps(data, indent=1) + "\n")


def fingerprint(config: Mapping[str, Any], files: Mapping[str, str], cases: Sequence[str]) -> str:
    """Return a sha256 over a config, the sha256 of each file it reads, and the cases.

    The order of a config's sections and settings does not matter.
    """
    text = json.dumps([dict(config), dict(files), list(cases)], sort_keys=True)
    return hashlib.sha256(text.encode("utf8")).hexdigest()
