"""Several processes write what one writes, and none of them is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from spacy_elmo_ner.annotation import pool
from spacy_elmo_ner.annotation.annotator import Settings
from spacy_elmo_ner.annotation.outputs import AnnotatedShard
from spacy_elmo_ner.annotation.pool import threads_each
from spacy_elmo_ner.annotation.run import Runner, Source
from spacy_elmo_ner.annotation.texts import Shard

from .conftest import Run, contents, numbered_texts, rows_of, write_json_lines
from .deadly import make_deadly_pipeline


def _children() -> set[int]:
    """Process ids of this process's children, where /proc tells them."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("only Linux tells which processes are children")
    return {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()}


def test_two_processes_write_what_one_writes(run: Run, tmp_path: Path, scored: str) -> None:
    rows = [*numbered_texts(30), {"id": "no text"}, *numbered_texts(5)]
    texts = write_json_lines(tmp_path / "a.jsonl", rows)
    formats = ("jsonl", "spacy", "conll")
    settings = {"pipeline": scored, "formats": formats, "shard_size": 4}
    before = _children()
    two = run(texts, **settings, runner=_watched(ahead := []))
    assert len(ahead) == 9 and max(ahead) <= 2 * 2  # shards in memory
    assert _children() <= before | _tracker()
    one = run(texts, output=tmp_path / "one", **settings)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")
    assert (two.n_texts, two.n_words, two.n_errors) == (one.n_texts, one.n_words, 1)


def test_no_more_processes_are_started_than_there_are_parts(
    run: Run, tmp_path: Path, rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt: list[list[int]] = []
    start, send = pool._Worker.__init__, pool._Worker.send

    def counted(worker: pool._Worker, *args: Any) -> None:
        start(worker, *args)
        dealt.append([])
        worker.of = dealt[-1]  # type: ignore[attr-defined]

    def noted(worker: pool._Worker, shard: Shard) -> None:
        worker.of.append(shard.number)  # type: ignore[attr-defined]
        send(worker, shard)

    monkeypatch.setattr(pool._Worker, "__init__", counted)
    monkeypatch.setattr(pool._Worker, "send", noted)
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(3))
    run(texts, shard_size=2, runner=lambda *given: pool.in_processes(*given, 8))
    assert dealt == [[0], [1]]  # each got one, none of them both
    assert [row["id"] for row in rows_of(tmp_path / "out")] == ["t0", "t1", "t2"]


def _watched(ahead: list[int]) -> Runner:
    """A runner in two processes; note how many shards are read before each that is done."""

    def run(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        n_read = 0

        def read() -> Iterator[Shard]:
            nonlocal n_read
            for shard in source:
                n_read += 1
                yield shard

        for n_done, shard in enumerate(pool.in_processes(settings, read(), 2)):
            ahead.append(n_read - n_done)
            yield shard

    return run


def _one_process(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
    return pool.in_processes(settings, source, 1)


def _tracker() -> set[int]:
    """Python's resource tracker, which multiprocessing keeps."""
    from multiprocessing.resource_tracker import _resource_tracker

    return {_resource_tracker._pid} if _resource_tracker._pid else set()  # type: ignore


def test_a_process_that_dies_is_replaced(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, code = make_deadly_pipeline(tmp_path / "deadly")
    monkeypatch.syspath_prepend(code)
    rows = numbered_texts(24)
    rows[9]["text"] = "dies once"
    texts = write_json_lines(tmp_path / "a.jsonl", rows)
    totals = run(texts, pipeline=pipeline, shard_size=4, runner=_one_process)
    assert (tmp_path / "deadly" / "died").exists()
    assert totals.n_errors == 0
    assert [row["text"] for row in rows_of(tmp_path / "out")] == [row["text"] for row in rows]


def test_texts_that_end_every_process_are_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, code = make_deadly_pipeline(tmp_path / "deadly")
    monkeypatch.syspath_prepend(code)
    rows = numbered_texts(12)
    rows[9]["text"] = "dies always"
    texts = write_json_lines(tmp_path / "a.jsonl", rows)
    with pytest.raises(RuntimeError, match=r"EL620.*exit code -9.*t8 to t11"):
        run(texts, pipeline=pipeline, shard_size=4, runner=_one_process)
    assert len(rows_of(tmp_path / "out")) == 8  # what is done is kept


def test_the_error_of_another_process_arrives(run: Run, tmp_path: Path) -> None:
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(2))
    with pytest.raises(ValueError, match=r"EL613.*entity_ruler"):
        run(texts, threshold=0.5, runner=_one_process)


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert [threads_each(n) for n in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # OMP_NUM_THREADS=1
    assert threads_each(2) == 1


# The first process that Python starts this way brings another one, which unblocks Ctrl-C.
FIRST_PROCESS = """
import time
from multiprocessing import get_context
from pathlib import Path
from spacy_elmo_ner.annotation.pool import _without_ctrl_c

if __name__ == "__main__":
    process = get_context("spawn").Process(target=time.sleep, args=(30,))
    with _without_ctrl_c():
        process.start()
    status = Path(f"/proc/{process.pid}/status").read_text()
    process.terminate()
    (blocked,) = [line for line in status.splitlines() if line.startswith("SigBlk")]
    print(int(blocked.split()[1], 16))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux' /proc")
def test_ctrl_c_does_not_reach_even_the_first_process_before_it_is_ready(tmp_path: Path) -> None:
    script = tmp_path / "first.py"
    script.write_text(FIRST_PROCESS)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) & 1 << (signal.SIGINT - 1)
