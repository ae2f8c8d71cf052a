"""Curves over training: scores by share of the train part, and a pre-training's own log."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Errors
from .findings import TrainingLog

# Points of a loss curve that are kept, each the mean since the one before.
MAX_POINTS = 150


@dataclass(frozen=True)
class TrainedOnShare:
    """A pipeline trained on ``percent`` of train, one point of ``system``'s learning curve."""

    system: str
    percent: float
    source: str


def parse_learning_point(argument: str) -> TrainedOnShare:
    """``NAME:PERCENT=SOURCE``; ValueError (EL318) for anything else."""
    match = re.fullmatch(r"(?P<name>[^=]+):(?P<percent>\d+(\.\d+)?)=(?P<source>.+)", argument)
    if match is None or not 0 < float(match["percent"]) < 100:
        raise ValueError(Errors.EL318.format(argument=argument))
    return TrainedOnShare(match["name"], float(match["percent"]), match["source"])


def read_training_log(path: Path) -> TrainingLog:
    """The curves of a log.jsonl, named after the folder it lies in; ValueError (EL319)."""
    try:
        with open(path, encoding="utf8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        loss = [(int(row["n_tokens"]), float(row["loss"])) for row in rows]
        forward, backward = _column(rows, "forward"), _column(rows, "backward")
        learning_rate = _column(rows, "learning_rate")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(Errors.EL319.format(path=path, problem=repr(error))) from error
    name = path.resolve().parent.name
    return TrainingLog(name, _thinned(loss), forward, backward, _thinned(learning_rate))


def _column(rows: Sequence[dict[str, Any]], name: str) -> list[tuple[int, float]]:
    return [(int(row["n_tokens"]), float(row[name])) for row in rows if name in row]


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    size = -(-len(points) // MAX_POINTS) or 1
    blocks = [points[start : start + size] for start in range(0, len(points), size)]
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]
