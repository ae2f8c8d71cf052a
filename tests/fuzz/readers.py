"""Feed every reader changed files for a given time, and count what comes of them.

``python -m tests.fuzz.readers [--seconds S] [--target NAME ...] [--seed N] [--guided]``: each
target runs in a process of its own, with memory and time per input limited, so that a crash in C,
a hang and hunger for memory are found as well. --guided: atheris chooses the inputs by the lines of
ours they reach; without it, whole files are changed at random. Counts are added to
benchmarks/results/trust-readers.json; an input that broke a reader is kept in tests/fuzz/broken.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from . import results
from .mutate import mutated
from .targets import make_targets, outcome, scratch_folder

COMMAND = (
    "python -m tests.fuzz.readers --seconds 600; "
    "python -m tests.fuzz.readers --seconds 300 --guided"
)
_MOST_MEMORY = 6 << 30  # of address space: torch alone takes half of it
_MOST_SECONDS = 20  # of processor time, for one input


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    with scratch_folder() as folder:
        names = list(make_targets(Path(folder)))
    parser.add_argument("--target", action="append", choices=names)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--guided", action="store_true", help="by atheris, if it is installed")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    targets = arguments.target or names
    seed = arguments.seed if arguments.seed is not None else time.time_ns()
    if arguments.child:
        run(targets[0], arguments.seconds, seed)
        return
    for name in targets:
        seconds = arguments.seconds / len(targets)
        if arguments.guided:
            _run_guided(name, seconds)
        else:
            _run_in_child(name, seconds, seed)
    print(json.dumps(results.read("readers"), indent=1))


def run(name: str, seconds: float, seed: int) -> None:
    """Inputs one after another in this process; what comes of them is printed as JSON."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    rng = random.Random(f"{name} {seed}")
    counts: Counter[str] = Counter()
    results.BROKEN.mkdir(exist_ok=True)
    current = results.BROKEN / f"{name}.current"
    with scratch_folder() as folder:
        target = make_targets(Path(folder))[name]()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = mutated(rng, target)
            current.write_bytes(data)  # for the case that this process does not survive it
            signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
            try:
                counts[outcome(target, data)] += 1
            except Exception as err:  # what a reader must never let through, whatever it is
                counts["crash"] += 1
                kind = f"{type(err).__name__}-{traceback.extract_tb(err.__traceback__)[-1].lineno}"
                (results.BROKEN / f"{name}.{kind}.input").write_bytes(data)
                (results.BROKEN / f"{name}.{kind}.txt").write_text(traceback.format_exc(), "utf8")
            signal.setitimer(signal.ITIMER_PROF, 0)
    current.unlink()
    print(json.dumps(counts))


def _run_in_child(name: str, seconds: float, seed: int) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, "-m", "tests.fuzz.readers", "--child", "--target", name]
        command += ["--seconds", str(left), "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seed += 1
        if done.returncode == 0:
            _add_counts(name, json.loads(done.stdout.splitlines()[-1]))
            continue
        print(f"{name}: {done.returncode} {done.stderr[-2000:]}", file=sys.stderr)
        _add_counts(name, {"crash": 1})
        current = results.BROKEN / f"{name}.current"
        if done.returncode > 0 or not current.is_file():
            return  # it did not come as far as an input
        kind = "hang" if done.returncode == -signal.SIGPROF else f"signal{-done.returncode}"
        current.rename(results.BROKEN / f"{name}.{kind}-{seed}.input")


def _run_guided(name: str, seconds: float) -> None:
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(round(seconds))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = dict(
        line.removeprefix("stat::").split(":")
        for line in done.stderr.splitlines()
        if line.startswith("stat::")
    )
    n = int(found.get("number_of_executed_units", 0))
    if done.returncode:
        print(f"{name}: {done.returncode} {done.stderr[-3000:]}", file=sys.stderr)
    # One that has not come as far as an input tells nothing of the reader.
    _add_counts(name, {"guided": n, "crash": int(done.returncode != 0 and n > 0)})


def _add_counts(name: str, found: dict[str, int]) -> None:
    targets = results.read("readers").get("targets", {})
    targets[name] = dict(Counter(targets.get(name, {})) + Counter(found))
    results.write("readers", COMMAND, {"targets": targets})


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
