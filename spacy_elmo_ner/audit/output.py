"""Write and read an audit: a table for people and spreadsheets, and JSON for the report."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import Errors, shape_problems
from ..files import atomic_file
from .audit import Judged, audit, label_pairs
from .rows import AuditRow

TSV_NAME, JSON_NAME = "errors.tsv", "errors.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Audit:
    """Holds one pipe's judgement of a corpus.

    n_annotated: tokens with annotation. pairs: (annotated, suggested, number of suspicious tokens).
    rows: probable errors, most suspicious first.
    """

    pipe: str
    n_docs: int
    n_annotated: int
    pairs: list[tuple[str, str, int]]
    rows: list[AuditRow]


def audits(judged: dict[str, Judged]) -> list[Audit]:
    """Audit each pipe's judgement."""
    return [
        Audit(
            pipe=name,
            n_docs=len(judgement.docs),
            n_annotated=judgement.n_annotated,
            pairs=label_pairs(judgement),
            rows=audit(judgement),
        )
        for name, judgement in judged.items()
    ]


def write(audited_pipes: Sequence[Audit], corpus: Sequence[Path], output: Path) -> None:
    """Write errors.tsv and errors.json into this folder, each whole or not at all."""
    output.mkdir(parents=True, exist_ok=True)
    columns = [field.name for field in fields(AuditRow)]
    table = io.StringIO()
    # Texts hold quotation marks; without any quoting they are written as they are.
    writer = csv.writer(
        table, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None
    )
    writer.writerow(["pipe", *columns])
    for audited in audited_pipes:
        for row in audited.rows:
            writer.writerow([audited.pipe, *(_cell(value) for value in asdict(row).values())])
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "corpus": [path.name for path in corpus],
        "pipes": [asdict(audited) for audited in audited_pipes],
    }
    texts = {TSV_NAME: table.getvalue(), JSON_NAME: json.dumps(content, indent=1)}
    for name, text in texts.items():
        with atomic_file(output / name) as temporary:
            temporary.write_text(text, encoding="utf8", newline="\n")


def read_audit(path: Path) -> tuple[list[str], list[Audit]]:
    """Read an errors.json: the names of the corpus' files, and each pipe's audit.

    Raises ValueError (EL321) for anything else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf8"))
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {data['schema_version']}, not {SCHEMA_VERSION}")
        corpus = TypeAdapter(list[str]).validate_python(data["corpus"])
        return corpus, TypeAdapter(list[Audit]).validate_python(data["pipes"])
    except ValidationError as error:
        problem, *_ = shape_problems(error)
        raise ValueError(Errors.EL321.format(path=path, problem=problem)) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(Errors.EL321.format(path=path, problem=repr(error))) from error


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return " ".join(str(value).split())  # a word may hold a tab or a line break
