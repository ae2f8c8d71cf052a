"""`python -m spacy elmo annotate`: what it writes, says and returns."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.annotation import run as run_module
from spacy_elmo_ner.annotation.exports import FORMATS
from spacy_elmo_ner.cli import annotate as command
from spacy_elmo_ner.cli.app import elmo_cli
from tests.annotation.conftest import (  # noqa: F401
    contents,
    numbered_texts,
    rows_of,
    rules,
    scored,
    write_json_lines,
)


def invoke(*args: str | Path, **settings: Any) -> Result:
    return CliRunner().invoke(elmo_cli, ["annotate", *map(str, args)], **settings)


@pytest.fixture
def texts(tmp_path: Path) -> str:
    return write_json_lines(tmp_path / "texts.jsonl", numbered_texts(20))


def test_texts_are_annotated_and_counted(texts: str, rules: str, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    result = invoke(texts, "--pipeline", rules, "--output", out, "--shard-size", 6)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())  # lines end where the terminal does
    assert "20 texts with" in said and "words/s" in said
    assert [row["id"] for row in rows_of(out)] == [f"t{i}" for i in range(20)]


def test_every_option_reaches_the_work(texts: str, scored: str, tmp_path: Path) -> None:  # noqa: F811
    table = tmp_path / "table.dat"
    table.write_text("nr;body\n7;Mary Smith left Paris\n8;Mary Smith met Reuters\n")
    out = tmp_path / "out"
    options = ["--text-field", "body", "--id-field", "nr", "--input-format", "csv"]
    options += ["--format", "conll", "--format", "jsonl", "--batch-size", "1", "--shard-size", "1"]
    options += ["--threshold", "1", "--sort", "uncertain"]
    result = invoke(table, "--pipeline", scored, "--output", out, *options)
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert {row["id"] for row in rows} == {"7", "8"} and all(row["ents"] == [] for row in rows)
    assert rows == sorted(rows, key=lambda row: row["certainty"])
    assert (out / "annotations-00000.conll").exists()
    state = json.loads((out / ".annotate" / "run.json").read_text())
    assert (state["batch_size"], state["shard_size"], state["threshold"]) == (1, 1, 1.0)


def test_whole_files(tmp_path: Path, rules: str) -> None:  # noqa: F811
    (tmp_path / "a.txt").write_text("Ann saw\nRome\n")
    out = tmp_path / "out"
    result = invoke(tmp_path / "a.txt", "--whole-files", "--pipeline", rules, "--output", out)
    assert result.exit_code == 0 and rows_of(out)[0]["text"] == "Ann saw\nRome\n"


def test_some_errors_have_a_status_of_their_own(tmp_path: Path, rules: str) -> None:  # noqa: F811
    rows: list[Any] = [*numbered_texts(2), {"id": "x"}]
    texts = write_json_lines(tmp_path / "a.jsonl", rows)
    result = invoke(texts, "--pipeline", rules, "--output", tmp_path / "out")
    assert result.exit_code == 3
    assert "1 texts have errors" in result.output and "EL608" in result.output
    again = invoke(texts, "--pipeline", rules, "--output", tmp_path / "out")
    assert again.exit_code == 3  # as long as the output has them


def test_what_cannot_be_done_is_said_and_fails(tmp_path: Path, rules: str) -> None:  # noqa: F811
    result = invoke(tmp_path / "nothing.txt", "--pipeline", rules, "--output", tmp_path / "out")
    assert result.exit_code == 1 and "EL600" in result.output
    usage = invoke("x", "--pipeline", rules, "--output", tmp_path / "out", "--format", "xml")
    assert usage.exit_code == 2


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    _heed_ctrl_c()
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
@pytest.mark.usefixtures("heeds_ctrl_c")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_what_is_done_and_how_to_continue(
    texts: str,
    rules: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sent: int,
) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    out = tmp_path / "out"
    save, n_saved = run_module.OutputFolder.save, 0

    def interrupted(folder: Any, shard: Any) -> None:
        nonlocal n_saved
        if n_saved == 2:
            os.kill(os.getpid(), sent)
            time.sleep(5)
        save(folder, shard)
        n_saved += 1

    monkeypatch.setattr(run_module.OutputFolder, "save", interrupted)
    args = (texts, "--pipeline", rules, "--output", out, "--shard-size", "6")
    result = invoke(*args)
    assert result.exit_code == 130
    assert "12 texts" in result.output and "Give the same command again" in result.output
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGTERM) is handler
    assert invoke(*args).exit_code == 0
    assert len(rows_of(out)) == 20


@pytest.mark.parametrize(
    ("args", "address", "inputs"),
    [
        (["--ray", "in.txt"], "local", ["in.txt"]),
        (["in.txt", "--ray"], "local", ["in.txt"]),
        (["in.txt", "--ray", "auto"], "auto", ["in.txt"]),
        (["--ray", "head:6379", "in.txt"], "head:6379", ["in.txt"]),
        (["--ray=ray://head:10001", "in.txt"], "ray://head:10001", ["in.txt"]),
        (["--ray", "--processes", "2", "in.txt"], "local", ["in.txt"]),
        (["in.txt"], None, ["in.txt"]),
    ],
)
def test_ray_may_be_given_with_an_address_or_alone(
    args: list[str],
    address: str | None,
    inputs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}

    def annotate(job: Any, runner: Any, **_: Any) -> Any:
        given["inputs"] = list(job.inputs)
        raise ValueError("enough")

    monkeypatch.setattr(command, "annotate", annotate)
    monkeypatch.setattr(command, "_runner", lambda n, ray: given.setdefault("ray", ray))
    result = invoke(*args, "--pipeline", "x", "--output", "y")
    assert result.exit_code == 1 and "enough" in result.output
    assert given == {"inputs": inputs, "ray": address}


def test_the_list_of_formats_is_that_of_the_code() -> None:
    help_text = invoke("--help", env={"COLUMNS": "300"}).output
    assert all(name in help_text for name in FORMATS)


# ---- real processes ----------------------------------------------------------------------


def _heed_ctrl_c() -> None:
    """Undo what a shell does to commands in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(*args: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "spacy", "elmo", "annotate", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        preexec_fn=_heed_ctrl_c,
    )


def _wait_for_shards(process: "subprocess.Popen[str]", out: Path, n: int) -> None:
    """Wait until n shards are done, or the process is."""
    while process.poll() is None:
        if len([*(out / ".annotate" / "shards").glob("[0-9]*.json")]) >= n:
            return
        time.sleep(0.005)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells of processes")
def test_killed_a_run_leaves_no_process_and_is_continued(tmp_path: Path, rules: str) -> None:  # noqa: F811
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(6_000))
    args = (texts, "--pipeline", rules, "--shard-size", "50", "--format", "jsonl")
    out = tmp_path / "out"
    process = start(*args, "--processes", "2", "--output", out)
    _wait_for_shards(process, out, 3)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    assert len(children) >= 2
    end = time.monotonic() + 20
    while alive := [pid for pid in children if _is_running(pid)]:
        assert time.monotonic() < end, f"still there: {alive}"
        time.sleep(0.05)
    assert 0 < len(rows_of(out)) < 6_000
    assert invoke(*args, "--output", out).exit_code == 0
    assert invoke(*args, "--output", tmp_path / "clean").exit_code == 0
    assert contents(out) == contents(tmp_path / "clean")


def _is_running(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
def test_ctrl_c_in_a_terminal_ends_all_processes_in_order(tmp_path: Path, rules: str) -> None:  # noqa: F811
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(60_000))
    out = tmp_path / "out"
    args = (texts, "--pipeline", rules, "--shard-size", "50", "--output", out)
    process = start(*args, "--processes", "2")
    _wait_for_shards(process, out, 3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to every process
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped." in output and "Traceback" not in output
    assert not [*out.glob(".*.tmp")]
