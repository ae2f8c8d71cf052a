"""Compute the char-CNN's convolutions and maximum for training, with their gradient written out.

Automatic differentiation of a maximum compares every value with the largest and shares the
gradient out between equal ones, over six convolutions one after the other. Here all convolutions
are one product, and the gradient goes to the place where the maximum was found: half the time.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .char_cnn_compiled import Tables, fit_for_training
from .lstm_training import with_more_rows
from .packing import inverse

# Values that all filters give for one block of words: 2 MB of bfloat16, which stay in the cache.
_VALUES_PER_BLOCK = 1 << 20


def pooled_convolutions(
    char_ids: Tensor,
    lengths: Tensor,
    embedding: nn.Embedding,
    convolutions: Sequence[nn.Conv1d],
    dtype: torch.dtype,
) -> Tensor:
    """Return the largest value of each filter over a word's characters, before the activation.

    char_ids (n_words, max_characters) int64 -> (n_words, n_filters) of dtype.
    lengths (n_words,): characters per word. dtype: of products; gradients are float32.
    """
    if fit_for_training(convolutions, dtype, char_ids.device):
        tables = Tables.for_training(embedding, convolutions)
        return tables.pooled_with_gradients(char_ids, lengths, dtype)
    order = torch.argsort(lengths, stable=True)
    char_ids, lengths = char_ids[order], lengths[order]
    most = char_ids.shape[1]
    widths = [conv.kernel_size[0] for conv in convolutions]
    filters, bias = _laid_out(convolutions, max(widths))
    # Windows of each filter that end within the word's slots: (n_filters,).
    n_allowed = torch.cat(
        [
            torch.full((conv.out_channels,), most - width + 1)
            for conv, width in zip(convolutions, widths, strict=True)
        ]
    ).to(char_ids.device)
    pooled = []
    start = 0
    while start < len(lengths):
        # Shortest first: the next word says how long the block's words are at least.
        end = start + max(1, _VALUES_PER_BLOCK // len(filters) // (int(lengths[start]) + 1))
        block = char_ids[start:end]
        # Past the longest word a window sees padding alone and repeats one value, so one such
        # window has the same maximum as all of them.
        n_windows = min(int(lengths[start:end].max()), most - 1) + 1
        pooled.append(
            _PooledConvolutions.apply(
                embedding.weight, filters, bias, block, n_allowed, n_windows, max(widths), dtype
            )
        )
        start = end
    return torch.cat(pooled)[inverse(order)]


def _laid_out(convolutions: Sequence[nn.Conv1d], widest: int) -> tuple[Tensor, Tensor]:
    """Return all filters (n_filters, widest * characters), zeros where one ends, and all biases."""
    filters = [
        # (filters, characters, width) -> (filters, width, characters)
        F.pad(conv.weight.transpose(1, 2), (0, 0, 0, widest - conv.kernel_size[0])).flatten(1)
        for conv in convolutions
    ]
    return torch.cat(filters), torch.cat([cast(Tensor, conv.bias) for conv in convolutions])


class _PooledConvolutions(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        table: Tensor,
        filters: Tensor,
        bias: Tensor,
        char_ids: Tensor,
        n_allowed: Tensor,
        n_windows: int,
        widest: int,
        dtype: torch.dtype,
    ) -> Tensor:
        n_slots = n_windows + widest - 1
        beyond = max(0, n_slots - char_ids.shape[1])
        ids = F.pad(char_ids[:, :n_slots], (0, beyond))
        w = filters.to(dtype)
        x = F.embedding(ids, table.to(dtype))
        windows = with_more_rows(windows_of(x, n_windows, widest))
        values = torch.addmm(bias.to(dtype), windows, w.T)[: len(ids) * n_windows]
        values = values.view(len(ids), n_windows, len(w))
        if beyond:
            # A filter has no value where it would reach beyond the last character.
            position = torch.arange(n_windows, device=ids.device)
            values.masked_fill_(position[:, None] >= n_allowed, -torch.inf)
        largest, where = values.max(dim=1)
        ctx.save_for_backward(windows, w, ids, where)
        ctx.shapes = n_windows, widest, table.shape
        return largest

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        d_largest = grad_outputs[0]
        windows, w, ids, where = ctx.saved_tensors
        n_windows, widest, (n_characters, dim) = ctx.shapes
        n_words, n_filters = d_largest.shape
        d = w.new_zeros(len(windows), n_filters)
        d_values = d[: n_words * n_windows].view(n_words, n_windows, n_filters)
        d_values.scatter_(1, where[:, None], d_largest[:, None].to(w.dtype))
        d_windows = (d @ w)[: n_words * n_windows].float().view(n_words, n_windows, widest, dim)
        d_x = d_windows.new_zeros(n_words, n_windows + widest - 1, dim)
        for k in range(widest):
            d_x[:, k : k + n_windows] += d_windows[:, :, k]
        d_table = d_x.new_zeros(n_characters, dim).index_add_(0, ids.flatten(), d_x.flatten(0, 1))
        return (
            d_table,
            (d.T @ windows).float(),
            d_largest.sum(0, dtype=torch.float32),
            *[None] * 5,
        )


def windows_of(x: Tensor, n_windows: int, widest: int) -> Tensor:
    """Put neighbours side by side.

    x (n_words, n_slots, dim) -> (n_words * n_windows, widest * dim).
    """
    n_words, n_slots, dim = x.shape
    # A window is widest * dim neighbours in memory.
    windows = x.as_strided((n_words, n_windows, widest * dim), (n_slots * dim, dim, 1))
    return windows.reshape(-1, widest * dim)
