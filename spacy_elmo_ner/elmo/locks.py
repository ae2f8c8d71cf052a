"""Provide locks for objects that are copied, sent to other processes or present at a fork."""

import os
import threading
import weakref
from types import TracebackType


class Lock:
    """Exclude other threads. A copy is a new, open lock, and in a forked child the lock is open.

    Hold it only while bookkeeping or reading files, never while computing a matrix product.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def locked(self) -> bool:
        """Return whether a thread holds the lock."""
        return self._lock.locked()

    def __reduce__(self) -> tuple[type["Lock"], tuple[()]]:
        return Lock, ()


_locks: weakref.WeakSet[Lock] = weakref.WeakSet()


def _open_all() -> None:
    # The thread that holds a lock does not exist in the child and would never release it.
    for lock in list(_locks):
        lock._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_all)
