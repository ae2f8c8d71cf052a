"""Write a run's log.jsonl: one JSON object per step."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..files import atomic_file, is_out_of_room

LOG_FILE = "log.jsonl"


class Log:
    """Append rows; drop those after the checkpoint from which a run is resumed."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text(encoding="utf8").splitlines() if path.is_file() else []
        with named_if_not_written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as temporary:
                kept = "".join(f"{line}\n" for line in _rows_until(step, lines))
                temporary.write_text(kept, encoding="utf8")

    def append(self, row: dict[str, Any]) -> None:
        """Write one row."""
        with named_if_not_written(self.path), self.path.open("a", encoding="utf8") as file:
            file.write(json.dumps(row) + "\n")


@contextmanager
def named_if_not_written(path: Path) -> Iterator[None]:
    """Raise OSError that names path where the system cannot write (EL418: no room; EL426)."""
    try:
        yield
    except OSError as err:
        if err.errno is None:  # ours, which has its own message
            raise
        message = Errors.EL418 if is_out_of_room(err) else Errors.EL426
        raise OSError(message.format(path=path, problem=err.strerror)) from err


def _rows_until(step: int, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            return  # the last row, cut short when the run was stopped while writing it
        if row["step"] > step:
            return
        yield line
