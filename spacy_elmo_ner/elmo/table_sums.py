"""The char-CNN's convolutions as sums of table rows: `char_cnn.c` behind tensors.

What a character gives each filter at each place of its width is one small product for all words;
after it, a filter's value at a place costs an addition per character. All of it is float32.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from .kernels import available_for_training, call, pointer, threads


class _Arguments(ctypes.Structure):
    """`struct convolution` of char_cnn.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_words", "n_slots", "width", "n_filters")),
        *((name, ctypes.c_int64) for name in ("n_parts", "threads")),
        *((name, ctypes.c_void_p) for name in ("ids", "lengths", "table", "bias")),
        ("stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("largest", "largest_half", "where")),
        *((name, ctypes.c_void_p) for name in ("d_largest", "d_table")),
    )


class _HighwayArguments(ctypes.Structure):
    """`struct highway` of char_cnn.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n", "dim", "n_parts", "threads")),
        *((name, ctypes.c_void_p) for name in ("gates", "x", "y", "d_y", "d_gates", "d_x")),
    )


def fit(convolutions: Sequence[nn.Conv1d], dtype: torch.dtype, device: torch.device) -> bool:
    """Whether the kernel takes these convolutions."""
    return (
        device.type == "cpu"
        and dtype in (torch.float32, torch.bfloat16)
        and all(convolution.out_channels % 16 == 0 for convolution in convolutions)
        and available_for_training()
    )


def pooled(
    char_ids: Tensor,
    lengths: Tensor,
    embedding: nn.Embedding,
    convolutions: Sequence[nn.Conv1d],
    dtype: torch.dtype,
) -> Tensor:
    """See `pooled_convolutions`; dtype: of the result."""
    with torch.autocast("cpu", enabled=False):
        tables, bias = _tables(embedding, convolutions)
        ids, lengths = char_ids.to(torch.int16).contiguous(), lengths.to(torch.int16)
        return _TableSums.apply(ids, lengths, bias, dtype, *tables)


def _tables(
    embedding: nn.Embedding, convolutions: Sequence[nn.Conv1d]
) -> tuple[list[Tensor], Tensor]:
    """What each character gives each filter: (n_characters, width, filters); all biases."""
    tables = [
        # (filters, characters, width) -> (n_characters, width, filters)
        torch.tensordot(embedding.weight.float(), each.weight.float(), ([1], [1]))
        .transpose(1, 2)
        .contiguous()
        for each in convolutions
    ]
    return tables, torch.cat([cast(Tensor, each.bias).float() for each in convolutions])


class Tables:
    """Convolutions for prediction only, laid out as tables."""

    def __init__(self, embedding: nn.Embedding, convolutions: Sequence[nn.Conv1d]) -> None:
        # Value by value of the embedding: no matrix product runs while weights are laid out.
        with torch.no_grad():
            self._tables = []
            for each in convolutions:
                shape = len(embedding.weight), each.weight.shape[2], each.out_channels
                table = torch.zeros(shape, dtype=torch.float32)
                values, filters = embedding.weight.float().T, each.weight.float().unbind(1)
                for value, own in zip(values, filters, strict=True):
                    table += value[:, None, None] * own.T
                self._tables.append(table)
            self._bias = torch.cat([cast(Tensor, each.bias).float() for each in convolutions])

    def pooled(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        """char_ids (n_words, max_characters) int64, lengths (n_words,) -> the largest value of each
        filter, before the activation: (n_words, n_filters) float32."""
        ids, lengths = char_ids.to(torch.int16).contiguous(), lengths.to(torch.int16)
        largest = torch.empty(len(ids), len(self._bias), dtype=torch.float32)
        start = 0
        for table in self._tables:
            columns = slice(start, start + table.shape[2])
            start = columns.stop
            arguments = _arguments(ids, lengths, table, None, largest.stride(0))
            arguments.bias = self._bias[columns].data_ptr()
            arguments.largest = largest[:, columns].data_ptr()
            call("convolution_forward", arguments)
        return largest


class _TableSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, ids: Tensor, lengths: Tensor, bias: Tensor, dtype: torch.dtype, *tables: Tensor
    ) -> Tensor:
        largest = torch.empty(len(ids), len(bias), dtype=dtype)
        where = torch.empty(len(ids), len(bias), dtype=torch.int16)
        start = 0
        name = "largest" if dtype == torch.float32 else "largest_half"
        for table in tables:
            columns = slice(start, start + table.shape[2])
            start = columns.stop
            arguments = _arguments(ids, lengths, table, where[:, columns], where.stride(0))
            arguments.bias = bias[columns].data_ptr()
            setattr(arguments, name, largest[:, columns].data_ptr())
            call("convolution_forward", arguments)
        ctx.save_for_backward(ids, lengths, where)
        ctx.shapes = [table.shape for table in tables]
        return largest

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        ids, lengths, where = ctx.saved_tensors
        d_largest = grad_outputs[0].float().contiguous()
        d_tables, start = [], 0
        for shape in ctx.shapes:
            columns = slice(start, start + shape[2])
            start = columns.stop
            d_tables.append(torch.zeros(shape, dtype=torch.float32))
            arguments = _arguments(ids, lengths, d_tables[-1], where[:, columns], where.stride(0))
            arguments.d_table = pointer(d_tables[-1])
            arguments.d_largest = d_largest[:, columns].data_ptr()
            call("convolution_backward", arguments)
        return None, None, d_largest.sum(0), None, *d_tables


def _arguments(
    ids: Tensor, lengths: Tensor, table: Tensor, where: Tensor | None, stride: int
) -> _Arguments:
    return _Arguments(
        n_words=ids.shape[0],
        n_slots=ids.shape[1],
        width=table.shape[1],
        n_filters=table.shape[2],
        n_parts=threads(),
        threads=threads(),
        ids=ids.data_ptr(),
        lengths=lengths.data_ptr(),
        table=table.data_ptr(),
        stride=stride,
        where=pointer(where),
    )


def highway(x: Tensor, transform: nn.Linear, carry: nn.Linear) -> Tensor:
    """x (n, dim) bfloat16 -> carry * relu(transform(x)) + (1 - carry) * x, bfloat16."""
    weight = torch.cat([transform.weight, carry.weight])
    bias = torch.cat([transform.bias, carry.bias])
    with torch.autocast("cpu", enabled=False):
        return _Highway.apply(x.contiguous(), weight, bias)


def highway_fits(x: Tensor) -> bool:
    return (
        x.dtype == torch.bfloat16
        and x.device.type == "cpu"
        and x.shape[1] % 16 == 0
        and available_for_training()
    )


class _Highway(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        w = weight.to(x.dtype)
        gates = torch.addmm(bias.to(x.dtype), x, w.T)
        y = torch.empty_like(x)
        _run_highway("highway_forward", gates=gates, x=x, y=y)
        ctx.save_for_backward(gates, x, w)
        return y

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        gates, x, w = ctx.saved_tensors
        d_gates, d_x = torch.empty_like(gates), torch.empty_like(x)
        d_y = grad_outputs[0].contiguous()
        _run_highway("highway_backward", gates=gates, x=x, d_y=d_y, d_gates=d_gates, d_x=d_x)
        ones = d_gates.new_ones(1, len(d_gates))
        return torch.addmm(d_x, d_gates, w), (d_gates.T @ x).float(), (ones @ d_gates)[0].float()


def _run_highway(name: str, *, gates: Tensor, x: Tensor, **others: Tensor) -> None:
    n, dim = x.shape
    arguments = _HighwayArguments(
        n=n, dim=dim, n_parts=threads(), threads=threads(), gates=pointer(gates), x=pointer(x)
    )
    for key, tensor in others.items():
        setattr(arguments, key, pointer(tensor))
    call(name, arguments)
