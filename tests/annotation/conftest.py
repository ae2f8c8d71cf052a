"""Two quick pipelines on the disk, and what every test here asks for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_elmo_ner.annotation.annotator import Settings
from spacy_elmo_ner.annotation.run import Job, annotate, local
from spacy_elmo_ner.annotation.shards import Totals
from tests.fuzz.pipelines import tiny_pipeline

# Words that the pipeline of rules knows.
PATTERNS = [
    {"label": "per", "pattern": "Ann"},
    {"label": "geo", "pattern": "Rome"},
    {"label": "geo", "pattern": [{"LOWER": "new"}, {"LOWER": "york"}]},
]


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with elmo, elmo_tagger and elmo_ner of 2 units: probabilities of everything."""
    folder = tmp_path_factory.mktemp("scored")
    tiny_pipeline(folder).to_disk(folder / "pipeline")
    return str(folder / "pipeline")


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with sentencizer and entity_ruler: no probabilities, thousands of texts a second."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("rules") / "pipeline"
    nlp.to_disk(folder)
    return str(folder)


def write_json_lines(path: Path, rows: Iterator[Any] | list[Any]) -> str:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf8")
    return str(path)


def numbered_texts(n: int) -> list[dict[str, str]]:
    names = ("Ann", "Rome", "New York", "nobody")
    return [{"id": f"t{i}", "text": f"{names[i % 4]} saw {i} things. So it is."} for i in range(n)]


def rows_of(output: Path) -> list[dict[str, Any]]:
    """All rows of the .jsonl files of an output, in order."""
    files = sorted(output.glob("annotations-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf8").splitlines()]


def contents(output: Path) -> dict[str, bytes]:
    """Names and contents of what a user sees in an output."""
    return {path.name: path.read_bytes() for path in sorted(output.iterdir()) if path.is_file()}


Run = Callable[..., Totals]


@pytest.fixture
def run(tmp_path: Path, rules: str) -> Run:
    """Annotate inputs into tmp_path/out; settings of `Settings` and `Job` by name."""

    def run(*inputs: str | Path, output: Path | None = None, **given: Any) -> Totals:
        of_job = {key: given.pop(key) for key in ("fields", "kind", "shard_size") if key in given}
        of_call = {key: given.pop(key) for key in ("overwrite", "progress") if key in given}
        runner = given.pop("runner", local(1))
        settings = Settings(**{"pipeline": rules, **given})
        job = Job(tuple(map(str, inputs)), output or tmp_path / "out", settings, **of_job)
        return annotate(job, runner, **of_call)

    return run
