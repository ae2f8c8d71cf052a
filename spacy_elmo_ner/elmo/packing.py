"""Arrange sentences of different lengths in packed order, without padding."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import Errors, shown
from .modes import lasting

# Tokens that run at once: enough to keep matrix products busy, and a bound on the memory of gates.
BATCH_TOKENS = 4096

# If sequences are long, few of them make a batch, and products of few rows wait for the weights to
# come from memory. Batches of fewer rows than this may be this many times as large.
_ENOUGH_ROWS, _TIMES_TOKENS = 64, 8


def check_batch_tokens(n: Any) -> None:
    """Raise ValueError for anything but a whole number of at least 1."""
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise ValueError(Errors.EL039.format(value=shown(n)))


def token_batches(lengths: Sequence[int], batch_tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Yield batches of indices of sequences that are not empty, longest first.

    A batch has about batch_tokens tokens, or up to eight times as many if it would have fewer than
    64 sequences. A last batch of less than half that size is added to the one before.
    """
    batch: list[int] = []
    n_tokens, n_left = 0, sum(lengths)
    filled = (i for i, length in enumerate(lengths) if length)
    for i in sorted(filled, key=lengths.__getitem__, reverse=True):
        allowed = batch_tokens if len(batch) >= _ENOUGH_ROWS else _TIMES_TOKENS * batch_tokens
        if batch and n_tokens + lengths[i] > allowed and n_left > n_tokens // 2:
            yield batch
            batch, n_tokens = [], 0
        batch.append(i)
        n_tokens += lengths[i]
        n_left -= lengths[i]
    if batch:
        yield batch


class Packing(NamedTuple):
    """Tell where each token of a batch is when sequences run side by side.

    Tokens are counted sentence after sentence ("flat"), n_flat in all.
    order: sentences longest first, (n_sentences,) int64.
    batch_sizes: sentences still running at each step.
    forward, backward: packed position -> flat token, (n_flat,) int64; backward runs each
    sentence from its own end.
    """

    order: Tensor
    batch_sizes: list[int]
    forward: Tensor
    backward: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Packing":
        """Arrange sentences of these numbers of tokens, all at least 1; at least one sentence."""
        if len(lengths) == 1:
            return _one_sentence(lengths[0])
        sizes = np.asarray(lengths, dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        order = np.argsort(-sizes, kind="stable")
        sizes, starts = sizes[order], starts[order]
        # How many sentences are longer than t steps, for each step t.
        batch_sizes = np.searchsorted(-sizes, -np.arange(sizes[0]), side="left")
        step = np.repeat(np.arange(sizes[0]), batch_sizes)
        first_of_step = np.cumsum(batch_sizes) - batch_sizes
        row = np.arange(len(step)) - np.repeat(first_of_step, batch_sizes)
        return cls(
            order=torch.from_numpy(order),
            batch_sizes=batch_sizes.tolist(),
            forward=torch.from_numpy(starts[row] + step),
            backward=torch.from_numpy(starts[row] + sizes[row] - 1 - step),
        )


@lru_cache(maxsize=256)
def _one_sentence(length: int) -> Packing:
    with lasting():
        forward = torch.arange(length)
        return Packing(torch.zeros(1, dtype=torch.int64), [1] * length, forward, forward.flip(0))


def inverse(permutation: Tensor) -> Tensor:
    """Return the permutation that undoes this one: (n,) int64 -> (n,) int64."""
    result = torch.empty_like(permutation)
    result[permutation] = torch.arange(len(permutation), device=permutation.device)
    return result
