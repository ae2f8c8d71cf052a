"""examples/label_studio_round_trip: texts, annotation, tasks, corrections, and a corpus again."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from tests.docs.blocks import Block, blocks, commands

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "label_studio_round_trip"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "example")
    monkeypatch.chdir(tmp_path / "example")
    return tmp_path / "example"


def shell_blocks() -> list[Block]:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf8")
    return [block for block in blocks(readme) if block.language == "bash"]


def exported(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Label Studio exports after a person corrected all tasks but the last."""
    done = []
    for number, task in enumerate(tasks):
        (prediction,) = task["predictions"]
        result = [{**region, "origin": "prediction"} for region in prediction["result"]]
        text = task["data"]["text"]
        if "Eagle" in text:  # the person's own span, not the pipeline's
            start = text.index("William")
            value = {"start": start, "end": start + len("William Eagle"), "labels": ["per"]}
            result = [{"type": "labels", "value": value, "origin": "manual"}]
        annotation = {"result": result, "was_cancelled": False, "updated_at": "2026-01-02"}
        older = {"result": [], "was_cancelled": False, "updated_at": "2026-01-01"}
        cancelled = {"result": [], "was_cancelled": True, "updated_at": "2026-01-03"}
        annotations = [older, cancelled, annotation] if number < len(tasks) - 1 else [cancelled]
        done.append({"id": number, "data": task["data"], "annotations": annotations})
    return done


def test_the_round_trip(folder: Path) -> None:
    annotate, convert = shell_blocks()
    (command,) = commands(annotate.code)
    words = command.split()
    assert words[:4] == ["python", "-m", "spacy", "elmo"]
    pipeline = str(ROOT / "assets" / "pipelines" / "en_elmo_gmb_sm")
    words = [pipeline if word == "en_elmo_gmb_sm" else word for word in words[4:]]
    result = CliRunner().invoke(elmo_cli, words)
    assert result.exit_code == 0, result.output
    tasks = json.loads((folder / "tasks" / "label-studio-00000.json").read_text("utf8"))
    texts = (folder / "texts.txt").read_text("utf8").splitlines()
    assert sorted(task["data"]["text"] for task in tasks) == sorted(texts)
    scores = [task["predictions"][0]["score"] for task in tasks]
    assert scores == sorted(scores)
    assert "<Label value=" in (folder / "tasks" / "label-studio-config.xml").read_text("utf8")

    export = exported(tasks)
    (folder / "export.json").write_text(json.dumps(export), encoding="utf8")
    (command,) = commands(convert.code)
    done = subprocess.run([sys.executable, *command.split()[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{len(tasks) - 1} of {len(tasks)} texts")

    nlp = spacy.blank("en")
    docs = [*DocBin().from_disk(folder / "corrected.spacy").get_docs(nlp.vocab)]
    assert [doc.text for doc in docs] == [task["data"]["text"] for task in tasks[:-1]]
    for doc, task in zip(docs, export, strict=False):
        expected = [
            (one["value"]["start"], one["value"]["end"], one["value"]["labels"][0])
            for one in task["annotations"][-1]["result"]
        ]
        assert [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] == expected
        assert doc.has_annotation("ENT_IOB", require_complete=True)
    nlp.add_pipe("ner")
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    nlp.initialize(lambda: examples)
    assert nlp.update(examples)["ner"] > 0
    assert {"per", "geo"} <= set(nlp.get_pipe("ner").labels)  # type: ignore[attr-defined]
