"""Hold each frozen biLM in memory once, however many pipes and threads name it."""

import hashlib
import weakref
from collections.abc import Callable
from typing import Any

from .bilm import BiLM
from .locks import Lock
from .options import BiLMOptions
from .pretrained import weights_key

_bilms: weakref.WeakValueDictionary[str, BiLM] = weakref.WeakValueDictionary()
_locks: weakref.WeakValueDictionary[str, Lock] = weakref.WeakValueDictionary()
_lock = Lock()


def shared_bilm(name: str) -> BiLM:
    """Return the frozen biLM that everyone who asks for this name shares; it must not be trained.

    Raises what `BiLM.from_pretrained` raises.
    """
    return _shared(weights_key(name), lambda: BiLM.from_pretrained(name))


def shared_from_bytes(options: dict[str, Any], weights: bytes) -> BiLM:
    """Return a frozen biLM that everyone with the same saved bytes shares.

    Raises ValueError for weights that do not fit the options.
    """
    source = "the saved pipeline"

    def read() -> BiLM:
        shape = BiLMOptions.from_dict(options, source=source)
        return BiLM.from_bytes(shape, weights, source=source)

    return _shared(f"sha256:{hashlib.sha256(weights).hexdigest()}", read)


def _shared(key: str, read: Callable[[], BiLM]) -> BiLM:
    """Return the biLM of this key; the first to ask reads it while others with this key wait."""
    with _lock:
        of_key = _locks.setdefault(key, Lock())
    # Reading takes long, and other biLMs need not wait for it.
    with of_key:
        bilm = _bilms.get(key)
        if bilm is None:
            bilm = _bilms[key] = read().requires_grad_(False)
        return bilm
