"""Vectors of words that were spelled out before: most of a text is words seen already."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# 16 MB of float32: 32,768 words of `small-en`, 8,192 of the official original.
_N_VALUES = 1 << 22


class WordCache:
    """Context-free vectors by word, at most capacity of them; starts afresh when full.

    For prediction with weights that do not change. Longer words than longest are not kept: they
    are rare, and a key may be of any length.
    """

    def __init__(self, width: int, longest: int, capacity: int | None = None) -> None:
        self.capacity = capacity if capacity is not None else _N_VALUES // width
        self.longest = longest
        self._rows: dict[str, int] = {}
        self._vectors: Tensor | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, words: Sequence[str], spell_out: Callable[[Sequence[str]], Tensor]) -> Tensor:
        """words, distinct (n_words,) -> (n_words, width) float32; spell_out for those not known."""
        rows = [self._rows.get(word, -1) for word in words]
        missing = [i for i, row in enumerate(rows) if row < 0]
        if self._vectors is None or len(missing) == len(words):
            result = spell_out(words)
        else:
            result = self._vectors[torch.tensor(rows, device=self._vectors.device)]
            if missing:
                result[missing] = spell_out([words[i] for i in missing])
        self._keep([i for i in missing if len(words[i]) <= self.longest], words, result)
        return result

    def _keep(self, new: Sequence[int], words: Sequence[str], vectors: Tensor) -> None:
        new = new[: self.capacity]
        if not new:
            return
        if self._vectors is None:
            # An ordinary tensor can be written to in and out of inference mode.
            with torch.inference_mode(False):
                self._vectors = vectors.new_empty(self.capacity, vectors.shape[1])
        if len(self._rows) + len(new) > self.capacity:
            self._rows.clear()
        start = len(self._rows)
        self._vectors[start : start + len(new)] = vectors[list(new)]
        self._rows.update((words[i], start + n) for n, i in enumerate(new))
