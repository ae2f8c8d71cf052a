"""--sort uncertain: the least certain texts first, with a bounded number of open files."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.annotation import sorting
from spacy_elmo_ner.annotation.exports import FORMATS
from spacy_elmo_ner.annotation.outputs import PipelineFacts
from spacy_elmo_ner.annotation.rows import Annotated
from spacy_elmo_ner.annotation.sorting import merge_runs, run_of

from .conftest import Run, contents, rows_of, write_json_lines
from .test_run import Stop, stopping_after

WORDS = ["President", "John", "Smith", "met", "Reuters", "in", "Paris", ".", "Mary", "left"]


@pytest.fixture
def texts(tmp_path: Path) -> str:
    rng = random.Random(0)
    rows: list[Any] = [
        {"id": f"t{i}", "text": " ".join(rng.choices(WORDS, k=6))} for i in range(40)
    ]
    rows[7] = {"id": "broken"}
    return write_json_lines(tmp_path / "texts.jsonl", rows)


def test_the_least_certain_come_first_and_errors_last(
    run: Run, texts: str, tmp_path: Path, scored: str
) -> None:
    run(texts, output=tmp_path / "plain", pipeline=scored)
    expected = sorted(
        rows_of(tmp_path / "plain"),
        key=lambda row: 2.0 if row.get("certainty") is None else row["certainty"],
    )
    totals = run(texts, pipeline=scored, is_sorted=True, shard_size=7)
    assert rows_of(tmp_path / "out") == expected
    assert totals.n_texts == 40 and totals.n_errors == 1
    assert "error" in rows_of(tmp_path / "out")[-1]
    assert not (tmp_path / "out" / ".annotate" / "runs").exists()


def test_a_sorted_run_is_continued(run: Run, texts: str, tmp_path: Path, scored: str) -> None:
    settings: dict[str, Any] = {"pipeline": scored, "is_sorted": True, "shard_size": 7}
    run(texts, output=tmp_path / "clean", **settings)
    with pytest.raises(Stop):
        run(texts, **settings, runner=stopping_after(3))
    assert contents(tmp_path / "out") == {}
    run(texts, **settings)
    assert contents(tmp_path / "out") == contents(tmp_path / "clean")


def test_a_merge_that_was_stopped_begins_again(
    run: Run, texts: str, tmp_path: Path, scored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"pipeline": scored, "is_sorted": True, "shard_size": 7}
    run(texts, output=tmp_path / "clean", **settings)
    monkeypatch.setattr(sorting, "_PART_TEXTS", 9)

    write = sorting.atomic_file

    def stop_at_the_third(path: Path) -> Any:
        if path.name.endswith("2.jsonl"):
            raise Stop
        return write(path)

    with monkeypatch.context() as patched:
        patched.setattr(sorting, "atomic_file", stop_at_the_third)
        with pytest.raises(Stop):
            run(texts, **settings)
    assert len(contents(tmp_path / "out")) == 2
    run(texts, **settings)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "clean")
    assert len(contents(tmp_path / "out")) == 5


def test_every_format_can_be_sorted(run: Run, texts: str, tmp_path: Path, scored: str) -> None:
    pytest.importorskip("pyarrow")
    run(texts, pipeline=scored, is_sorted=True, shard_size=9, formats=tuple(FORMATS))
    out = tmp_path / "out"
    order = [row["id"] for row in rows_of(out)]
    docs = DocBin().from_disk(out / "annotations-00000.spacy").get_docs(Vocab())
    assert [doc.user_data["id"] for doc in docs] == order
    tasks = json.loads((out / "label-studio-00000.json").read_text())
    assert [task["data"]["id"] for task in tasks] == order
    table = pytest.importorskip("pyarrow.parquet").read_table(out / "annotations-00000.parquet")
    assert table["id"].to_pylist() == order
    for name in ("doccano", "prodigy"):
        lines = (out / f"{name}-00000.jsonl").read_text().splitlines()
        assert [json.loads(line).get("id") or json.loads(line)["meta"]["id"] for line in lines] == (
            order
        )


def test_more_runs_than_files_may_be_open_are_merged_in_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "_FAN_IN", 3)
    monkeypatch.setattr(sorting, "_PART_TEXTS", 50)
    formats = {"jsonl": FORMATS["jsonl"](PipelineFacts("x", ()))}
    rng, rows, runs = random.Random(1), [], []
    for number in range(20):
        mine = [{"id": f"{number}-{i}", "certainty": rng.randint(0, 9) / 10} for i in range(10)]
        runs.append(tmp_path / f"run{number}")
        runs[-1].write_bytes(run_of(number, [Annotated(row, None) for row in mine], formats))
        rows += mine
    out = tmp_path / "out"
    out.mkdir()
    assert merge_runs(runs, formats, out, tmp_path / "work") == 4
    assert rows_of(out) == sorted(rows, key=lambda row: row["certainty"])  # ties in input order
    assert not (tmp_path / "work").exists()


def test_large_records_end_a_file_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_PART_BYTES", 1_000)
    formats = {"jsonl": FORMATS["jsonl"](PipelineFacts("x", ()))}
    run = tmp_path / "run"
    run.write_bytes(run_of(0, [Annotated({"id": "x" * 400}, None)] * 7, formats))
    assert merge_runs([run], formats, tmp_path, tmp_path / "work") == 3


def test_texts_of_nothing_do_not_stop_sorting(run: Run, tmp_path: Path, scored: str) -> None:
    """A tagger gives no probability where there is no token."""
    nlp = spacy.load(scored, exclude=["elmo_ner"])
    nlp.to_disk(tmp_path / "tagger")
    texts = ["", "Mary left", "", "Mary left Paris"]
    path = write_json_lines(tmp_path / "a.jsonl", [{"text": text} for text in texts])
    run(path, pipeline=str(tmp_path / "tagger"), is_sorted=True, shard_size=1)
    rows = rows_of(tmp_path / "out")
    assert [row["text"] for row in rows][2:] == ["", ""]
    assert rows[0]["certainty"] <= rows[1]["certainty"] and rows[2]["certainty"] is None


def test_without_probabilities_sorting_is_refused(run: Run, texts: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EL623"):
        run(texts, is_sorted=True)
