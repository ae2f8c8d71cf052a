"""Keep what is computed once, shared safely between threads.

Readers take no lock: they see either nothing or a complete value. Locks are held while values are
laid out or copied, never while a matrix product runs.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from .locks import Lock
from .modes import lasting

T = TypeVar("T")

# 16 MB of float32: 32,768 words of `small-en`, 8,192 of the official original.
_N_VALUES = 1 << 22


class Derived(Generic[T]):
    """Keep what is made from parameters until one of them changes.

    A change is a write in place that torch counts, or another tensor in a parameter's place. Some
    optimizers write without counting, so whoever trains the parameters calls `forget`. A copy is
    empty.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[Any, ...], T] | None = None
        self._lock = Lock()

    @property
    def value(self) -> T | None:
        """Return the kept value, or None."""
        kept = self._kept
        return None if kept is None else kept[1]

    def get(
        self,
        parameters: Sequence[Tensor],
        make: Callable[[], T],
        dtype: torch.dtype = torch.float32,
    ) -> T:
        """Return the kept value, or a new one from `make`, which must not compute matrix products.

        dtype: of the products that the value is for; another dtype needs another value.
        """
        # A module's parameters are of one dtype and on one device.
        first, places = parameters[0], [(p.data_ptr(), p._version) for p in parameters]
        key = (dtype, first.dtype, first.device, *places)
        kept = self._kept
        if kept is None or kept[0] != key:
            with self._lock:
                kept = self._kept
                if kept is None or kept[0] != key:
                    # Dropped first: two sets of large weights would not always fit in memory.
                    kept = self._kept = None
                    with lasting():
                        kept = self._kept = (key, make())
        return kept[1]

    def forget(self) -> None:
        """Drop the kept value."""
        self._kept = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Also to another process: what is laid out for a CPU has no bytes to send.
        return Derived, ()


class WordCache:
    """Keep the context-free vectors of at most `capacity` words; start afresh when full.

    For prediction with weights that do not change. Words longer than `longest` are not kept: they
    are rare, and a key could have any length.
    """

    def __init__(self, width: int, longest: int, capacity: int | None = None) -> None:
        self.width = width
        self.longest = longest
        self.capacity = capacity if capacity is not None else _N_VALUES // width
        self._table: _Table | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return 0 if self._table is None else len(self._table.rows)

    def __contains__(self, word: str) -> bool:
        return self._table is not None and word in self._table.rows

    def get(self, words: Sequence[str], spell_out: Callable[[Sequence[str]], Tensor]) -> Tensor:
        """Return the vectors of n_words distinct words: (n_words, width) float32.

        spell_out computes the vectors of words that are not kept yet.
        """
        table = self._table
        known = {} if table is None else table.rows
        rows = [known.get(word, -1) for word in words]
        missing = [i for i, row in enumerate(rows) if row < 0]
        if table is None or len(missing) == len(words):
            result = spell_out(words)
        else:
            result = table.vectors[torch.tensor(rows, device=table.vectors.device)]
            if missing:
                result[missing] = spell_out([words[i] for i in missing])
        self._keep([i for i in missing if len(words[i]) <= self.longest], words, result)
        return result

    def _keep(self, new: Sequence[int], words: Sequence[str], vectors: Tensor) -> None:
        if not new:
            return
        with self._lock:
            table = self._table
            if table is not None:  # another thread may have been faster
                new = [i for i in new if words[i] not in table.rows]
            new = new[: self.capacity]
            if table is None or len(table.rows) + len(new) > self.capacity:
                # Not emptied: other threads may be reading the old table's vectors.
                table = _Table({}, self._empty(vectors.device))
            start = len(table.rows)
            at = torch.tensor(new, device=vectors.device, dtype=torch.int64)
            table.vectors[start : start + len(new)] = vectors[at]
            # A word is found only once its vector has been written.
            table.rows.update((words[i], start + n) for n, i in enumerate(new))
            self._table = table

    def _empty(self, device: torch.device) -> Tensor:
        with lasting():
            return torch.empty(self.capacity, self.width, dtype=torch.float32, device=device)


class _Table(NamedTuple):
    """Hold vectors (capacity, width) float32, and the row of each word. Rows never change."""

    rows: dict[str, int]
    vectors: Tensor
