"""Kill, interrupt and starve every writer at random points, and look at what is left.

``python -m tests.fuzz.faults [--each N] [--pretraining N] [--seed N]``: each writer gets each fault
N times, at any moment, and exactly as it opens, renames or deletes a file. A writer that was struck
must leave the old files or the new ones, whole; pre-training must end, after kills and resumes, in
the same bytes as without. Counts go to benchmarks/results/trust-faults.json. POSIX only.
"""

import argparse
import errno
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import torch

from . import results
from .targets import scratch_folder
from .writers import LOSS, NEW, Writer, make_writers, pretraining, trained_files, without_times

AT_A_STEP = ("kill at a step", "Ctrl-C at a step", "disk full at a step")
FAULTS = ("kill", "Ctrl-C", "disk full", "read-only", *AT_A_STEP)
# What Python tells its audit hooks about, before it happens.
_STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")
_UNPRIVILEGED = 65534  # "nobody": the superuser may write into any folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--pretraining", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(arguments.seed)
    found: dict[str, dict[str, dict[str, int]]] = {}
    with scratch_folder() as name:
        scratch = Path(name)
        for writer_name, writer in make_writers(scratch).items():
            for fault in FAULTS:
                left = inject(writer, fault, arguments.each, scratch / "folder", rng)
                found.setdefault(writer_name, {})[fault] = left
        for fault in ("kill", "Ctrl-C"):
            left = interrupt_pretraining(scratch / fault, fault, arguments.pretraining, rng)
            found.setdefault("pre-training", {})[fault] = left
    command = (
        f"python -m tests.fuzz.faults --each {arguments.each} --pretraining {arguments.pretraining}"
    )
    results.write("faults", command, {"writers": found})
    losses = sum(left.get(LOSS, 0) for faults in found.values() for left in faults.values())
    total = sum(sum(left.values()) for faults in found.values() for left in faults.values())
    print(f"{total} faults, {losses} losses")


def inject(
    writer: Writer, fault: str, times: int, folder: Path, rng: random.Random
) -> dict[str, int]:
    """Let one fault happen to a writer again and again; how often what was left."""
    left: Counter[str] = Counter()
    for _ in range(times):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.parent.chmod(0o755)  # so that the unprivileged user gets as far as the folder
        writer.before(folder)
        before = set(folder.rglob("*"))
        write = partial(writer.write, folder)
        if fault in AT_A_STEP:
            status = _struck_at_a_step(write, fault, folder, rng)
        else:
            largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            took = _time(writer, folder.with_name("timed"))
            status = _struck(write, fault, folder, took, largest, rng)
        state = writer.judge(folder)
        if fault.startswith("kill"):
            # Whatever lies about, the same write done again makes all good.
            writer.write(folder)
            if writer.judge(folder) != NEW:
                state = LOSS
        elif status not in (0, 1) or (state != NEW and set(folder.rglob("*")) - before):
            state = LOSS
        left[state] += 1
    return dict(left)


def interrupt_pretraining(
    scratch: Path, fault: str, times: int, rng: random.Random
) -> dict[str, int]:
    """Runs that are stopped at a random moment until each is done; each ends as if it never was."""
    scratch.mkdir()
    run = pretraining(scratch)
    began = time.monotonic()
    run(scratch / "whole")
    took = time.monotonic() - began
    wanted = trained_files(scratch / "whole"), without_times(scratch / "whole" / "log.jsonl")
    left: Counter[str] = Counter()
    attempt = 0
    while sum(left.values()) < times:
        attempt += 1
        output = scratch / f"run-{attempt}"
        struck = 0
        # Lives grow longer: on a machine that has become slower, no life might reach a checkpoint.
        while status := _struck(
            partial(run, output), fault, output, took * (1 + struck / 10), 0, rng
        ):
            struck += 1
            if status not in (1, -signal.SIGKILL):
                break
        same = not status and wanted == (
            trained_files(output),
            without_times(output / "log.jsonl"),
        )
        left["as if never stopped" if same else LOSS] += struck
        shutil.rmtree(output)
    return dict(left)


def _time(writer: Writer, folder: Path) -> float:
    """Seconds that one write takes, so that faults fall anywhere in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    writer.before(folder)
    began = time.monotonic()
    writer.write(folder)
    return time.monotonic() - began


def _struck(
    write: Callable[[], object],
    fault: str,
    folder: Path,
    took: float,
    largest: int,
    rng: random.Random,
) -> int:
    """Write in a child to which the fault happens; 0: done, 1: it said why not, else: neither."""
    limit = rng.randrange(1, max(2, largest))
    delay = rng.uniform(0, took)
    ready, started = os.pipe()
    child = os.fork()
    if not child:
        os.close(ready)
        _leave(lambda: _child(write, fault, folder, limit, started))
    os.close(started)
    os.read(ready, 1)
    os.close(ready)
    if fault in ("kill", "Ctrl-C"):
        time.sleep(delay)
        os.kill(child, signal.SIGKILL if fault == "kill" else signal.SIGINT)
    _, status = os.waitpid(child, 0)
    if fault == "read-only":
        folder.chmod(0o755)
    return os.waitstatus_to_exitcode(status)


def _struck_at_a_step(
    write: Callable[[], object], fault: str, folder: Path, rng: random.Random
) -> int:
    """Like `_struck`, as one of the files under folder is about to be touched."""
    whole = folder.with_name("before")
    shutil.rmtree(whole, ignore_errors=True)
    shutil.copytree(folder, whole)
    read, written = os.pipe()
    _in_child(lambda: _count_steps(write, folder, written))
    n_steps = int.from_bytes(os.read(read, 8), "little")
    os.close(read)
    os.close(written)
    shutil.rmtree(folder)
    whole.rename(folder)
    at = rng.randrange(n_steps)
    pending = [fault]

    def strike(step: int, takes_room: bool) -> None:
        # Deleting fails on no full disk: that fault waits for the next step that takes room.
        if pending and step >= at and (takes_room or fault != "disk full at a step"):
            _strike(pending.pop())

    def struck() -> int:
        _at_steps(folder, strike)
        return _outcome(write, fault)

    return _in_child(struck)


def _count_steps(write: Callable[[], object], folder: Path, written: int) -> int:
    seen: list[int] = []
    _at_steps(folder, lambda step, takes_room: seen.append(step))
    write()
    os.write(written, len(seen).to_bytes(8, "little"))
    return 0


def _at_steps(folder: Path, happens: Callable[[int, bool], object]) -> None:
    """Have `happens` called with the number of each step from here on, before it is done, and
    with whether it takes room on the disk."""
    steps = count()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STEPS and str(arguments[0]).startswith(str(folder)):
            takes_room = event in ("os.rename", "os.mkdir")
            if event == "open":
                takes_room = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
            happens(next(steps), takes_room)

    sys.addaudithook(hook)


def _strike(fault: str) -> None:
    if fault == "kill at a step":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "Ctrl-C at a step":
        raise KeyboardInterrupt
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _leave(run: Callable[[], int]) -> NoReturn:
    """End this process with what run says; nothing of the parent's is cleared up on the way."""
    status = 2
    try:
        status = run()
    finally:
        os._exit(status)


def _in_child(run: Callable[[], int]) -> int:
    child = os.fork()
    if not child:
        _leave(run)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _child(write: Callable[[], object], fault: str, folder: Path, limit: int, started: int) -> int:
    if fault == "disk full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if fault == "read-only":
        folder.chmod(0o555)
        if os.geteuid() == 0:
            os.setuid(_UNPRIVILEGED)
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def begun() -> None:
        os.write(started, b"x")
        write()

    return _outcome(begun, fault)


def _outcome(write: Callable[[], object], fault: str) -> int:
    """0: written, 1: it said that it could not, 2: it failed in another way."""
    try:
        write()
        # A signal that comes later finds nobody at work.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except (OSError, KeyboardInterrupt):
        return 1
    except BaseException as err:
        print(f"{fault}: {type(err).__name__}: {err}")
        return 2
    return 0


if __name__ == "__main__":
    main()
