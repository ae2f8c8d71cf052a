"""The probable annotation errors that `elmo audit` found, as a comparison shows them."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..audit.output import SCHEMA_VERSION, Audit
from ..audit.rows import AuditRow
from ..errors import Errors
from .findings import ProbableErrors
from .results import shape_problems
from .table import NOTHING

# Rows of each pipe that are kept and shown.
MAX_ROWS = 50

# Kind and text, and the titles of what `error_cells` gives; probabilities in percent.
ERROR_HEADER = ["kind", "text", "annotated", "p annotated", "suggested", "p suggested"]
TEXT_COLUMNS = frozenset({0, 1, 2, 4})

NEVER_CHANGED = (
    "A pipeline that was not trained on these texts reads them otherwise than they are annotated, "
    "and is surer of that than it is, on average, where that is annotated. That is a reason to "
    "look, not a proof. No label was changed, neither for training nor for scoring."
)


def read_probable_errors(path: Path) -> list[ProbableErrors]:
    """The first rows of every pipe in an errors.json, those of entities first.

    Raises ValueError (EL321) for anything else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf8"))
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {data['schema_version']}, not {SCHEMA_VERSION}")
        corpus = TypeAdapter(list[str]).validate_python(data["corpus"])
        audits = TypeAdapter(list[Audit]).validate_python(data["pipes"])
    except ValidationError as error:
        problem, *_ = shape_problems(error)
        raise ValueError(Errors.EL321.format(path=path, problem=problem)) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(Errors.EL321.format(path=path, problem=repr(error))) from error
    return [
        ProbableErrors(corpus, each.pipe, each.n_docs, len(each.rows), each.rows[:MAX_ROWS])
        for each in sorted(audits, key=lambda audit: any(row.kind == "tag" for row in audit.rows))
    ]


def errors_title(found: ProbableErrors) -> str:
    """Who found how many, where, and how many of them are shown."""
    shown = f", the first {len(found.rows)}" if len(found.rows) < found.n_found else ""
    where = ", ".join(found.corpus)
    return f"{found.pipe} on {where}: {found.n_found:,} in {found.n_docs:,} texts{shown}"


def error_cells(row: AuditRow) -> list[str]:
    """What is annotated and what is suggested, each with its probability."""
    return [
        row.gold or NOTHING,
        f"{100 * row.p_gold:.1f}",
        row.suggested or NOTHING,
        f"{100 * row.p_suggested:.1f}",
    ]


def marked_words(context: str) -> tuple[str, str, str]:
    """The text before the words in question, these words, and the text after them."""
    before, _, rest = context.partition("[[")
    words, _, after = rest.rpartition("]]")
    return before, words, after
