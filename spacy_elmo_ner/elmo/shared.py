"""Frozen biLMs in use, held in memory once however many pipes and threads name them."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from .locks import Lock

if TYPE_CHECKING:
    from .bilm import BiLM

_bilms: weakref.WeakValueDictionary[str, "BiLM"] = weakref.WeakValueDictionary()
_locks: weakref.WeakValueDictionary[str, Lock] = weakref.WeakValueDictionary()
_lock = Lock()


def shared(key: str, read: Callable[[], "BiLM"]) -> "BiLM":
    """The frozen biLM of this key; the first to ask calls `read`, others wait for that one.

    It belongs to everyone who asks for the key and must never be trained. Raises what read raises.
    """
    with _lock:
        of_key = _locks.setdefault(key, Lock())
    # Reading takes long, and other biLMs need not wait for it.
    with of_key:
        bilm = _bilms.get(key)
        if bilm is None:
            bilm = _bilms[key] = read().requires_grad_(False)
        return bilm
