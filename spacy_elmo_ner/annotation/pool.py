"""Annotate shards in this process or in several.

Each process is started afresh (spawn) and talks through a pipe of its own, so that it ends when
this process does, however it ends. One that dies is replaced once for a shard.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, cast

import torch

from ..errors import Errors
from .annotator import Annotator, Settings
from .outputs import AnnotatedShard
from .texts import Shard

# Shards that a process has at one time: while it works on one, the next is on its way.
_AHEAD = 2
_RESULT, _FAILED = b"r", b"f"


def in_this_process(settings: Settings, shards: Iterable[Shard]) -> Iterator[AnnotatedShard]:
    """Yield annotated shards in order."""
    return map(Annotator(settings).annotate, shards)


def threads_each(n_processes: int) -> int:
    """Return how many threads each of several processes may use: together no more than cores."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    # OMP_NUM_THREADS and the like have set what one process may use.
    return max(1, min(cores // n_processes, torch.get_num_threads()))


def in_processes(
    settings: Settings, shards: Iterable[Shard], n_processes: int
) -> Iterator[AnnotatedShard]:
    """Yield annotated shards as they are ready; at most two for each process are in memory.

    No more processes are started than there are shards.
    Raises what an `Annotator` raises, RuntimeError (EL620) where a shard ends two processes.
    """
    pool: list[_Worker] = []
    deaths: Counter[int] = Counter()
    todo = iter(shards)
    again: list[Shard] = []
    try:
        while True:
            # Each process gets a shard before one gets its next.
            for n_shards, place in product(range(_AHEAD), range(n_processes)):
                if place < len(pool) and len(pool[place].shards) > n_shards:
                    continue
                shard = again.pop() if again else next(todo, None)
                if shard is None:
                    break
                if place == len(pool):
                    pool.append(_Worker(settings, threads_each(n_processes)))
                pool[place].send(shard)
            busy = {worker.connection: worker for worker in pool if worker.shards}
            if not busy:
                return
            for connection in wait([*busy]):
                worker = busy[cast(Connection, connection)]
                result = worker.receive()
                if result is not None:
                    yield result
                    continue
                # The process is gone: the shard it was at may be the cause, those after it not.
                first, *others = worker.shards
                deaths[first.number] += 1
                if deaths[first.number] > 1:
                    raise RuntimeError(
                        Errors.EL620.format(
                            code=worker.exit_code(),
                            first=first.texts[0].id,
                            last=first.texts[-1].id,
                        )
                    )
                again += [*others, first]
                worker.end()
                pool[pool.index(worker)] = _Worker(settings, threads_each(n_processes))
    finally:
        for worker in pool:
            worker.end()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, from their first moment: one process answers it.

    A process inherits which signals are blocked. One that comes meanwhile is delivered afterwards.
    """
    block = getattr(signal, "pthread_sigmask", None)
    if block is None:  # Windows
        yield
        return
    # Started with the first process, it would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = block(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        block(signal.SIG_SETMASK, before)


class _Worker:
    """Holds a process with an `Annotator`, this end of its pipe, and the shards it has."""

    def __init__(self, settings: Settings, threads: int) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.shards: list[Shard] = []
        self._process = context.Process(
            target=_work, args=(theirs, settings, threads), name="annotate", daemon=True
        )
        with _without_ctrl_c():
            self._process.start()
        theirs.close()

    def send(self, shard: Shard) -> None:
        self.shards.append(shard)
        try:
            self.connection.send_bytes(shard.to_bytes())
        except OSError:
            return  # the process is gone; `receive` will tell

    def receive(self) -> AnnotatedShard | None:
        """Return the shard that is ready; None if the process is gone. Raises its error."""
        try:
            message = self.connection.recv_bytes()
        except (EOFError, OSError):
            return None
        if message[:1] == _FAILED:
            raise ValueError(message[1:].decode())
        self.shards.pop(0)
        return AnnotatedShard.from_bytes(message[1:])

    def exit_code(self) -> Any:
        self._process.join(timeout=5)
        return self._process.exitcode

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join(timeout=5)


def _work(connection: Connection, settings: Settings, threads: int) -> None:
    """Annotate shards until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where `_without_ctrl_c` could not do it
    shards: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take, args=(connection, shards), daemon=True).start()
    try:
        annotator = Annotator(settings, threads)
        while True:
            shard = Shard.from_bytes(shards.get())
            connection.send_bytes(_RESULT + annotator.annotate(shard).to_bytes())
    except ConnectionError:
        return  # the other process is gone
    except Exception as error:  # as it would stop a run in one process
        connection.send_bytes(_FAILED + str(error).encode("utf-8", "replace"))


def _take(connection: Connection, shards: "SimpleQueue[bytes]") -> None:
    """Receive shards at any time: both ends would wait for ever if both were sending.

    Ends the process with the pipe: the other process has all it wants, or is gone.
    """
    while True:
        try:
            shards.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
