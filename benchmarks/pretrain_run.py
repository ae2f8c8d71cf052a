"""Runs of ``spacy elmo pretrain`` in processes of their own, as a user starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from spacy.util import load_config


def start(
    config: Path, output: Path, *, processes: int = 1, threads: int = 1, resume: bool = False
) -> subprocess.Popen[bytes]:
    """Start a run, under torchrun if it is to have several processes; its words go to a file."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command += ["-m", "spacy", "elmo", "pretrain", str(config), "--output", str(output)]
    command += [f"--threads={threads}", *(["--resume"] if resume else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.with_suffix(".out").open("ab") as words:
        return subprocess.Popen(command, stdout=words, stderr=words, env=environment)


def finish(run: subprocess.Popen[bytes], output: Path) -> None:
    """Wait for a run. Raises RuntimeError with the end of what it said where it failed."""
    if run.wait():
        said = output.with_suffix(".out").read_text(encoding="utf8", errors="replace")
        raise RuntimeError(f"The run in {output} failed: {said[-2000:]}")


def rows(output: Path) -> list[dict[str, Any]]:
    """The whole rows of a run's log; none before it has one."""
    path = output / "log.jsonl"
    text = path.read_text(encoding="utf8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def changed_config(config: Path, output: Path, **training: Any) -> Path:
    """The same config with other settings in [training], written to output."""
    changed = load_config(config)
    changed.setdefault("training", {}).update(training)
    output.parent.mkdir(parents=True, exist_ok=True)
    changed.to_disk(output)
    return output
