"""kill -9 at any moment: what is written in the end is what one undisturbed run writes."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, contents, numbered_texts, rows_of, write_json_lines

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to start quickly")


def _run_and_kill(run: Run, seconds: float, *args: Any, **settings: Any) -> bool:
    """Run in a child; tell whether it was killed, after so many seconds, before its end."""
    child = os.fork()
    if child == 0:
        try:
            run(*args, **settings)
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("is_sorted", [False, True])
def test_killed_ten_times_at_random_nothing_is_lost_or_there_twice(
    run: Run, tmp_path: Path, rules: str, scored: str, is_sorted: bool
) -> None:
    n = 400 if is_sorted else 3_000
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(n))
    settings = {
        "pipeline": scored if is_sorted else rules,
        "is_sorted": is_sorted,
        "shard_size": n // 60,
        "formats": ("jsonl", "doccano"),
    }
    begin = time.monotonic()
    run(texts, output=tmp_path / "clean", **settings)
    seconds = time.monotonic() - begin
    rng, n_killed = random.Random(5), 0
    for _ in range(10):
        # Part of the time that a whole run takes: some end before they have written anything.
        n_killed += _run_and_kill(run, rng.random() * seconds / 6, texts, **settings)
    run(texts, **settings)
    assert not [*(tmp_path / "out").rglob(".*.tmp")]
    assert n_killed >= 5
    assert contents(tmp_path / "out") == contents(tmp_path / "clean")
    ids = [row["id"] for row in rows_of(tmp_path / "out")]
    assert sorted(ids) == sorted(f"t{i}" for i in range(n))
