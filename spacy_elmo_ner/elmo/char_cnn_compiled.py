"""Run what is compiled of the char-CNN: `char_cnn.c` and `prediction.c` behind tensors.

Convolutions are sums of table rows. What a character adds to each filter at each place of its
width is one small product for all words; after it, a filter's value at a place costs one addition
per character. All of this is float32.
"""

import ctypes
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from .kernels import available, available_for_training, call, kind_of_cpu, pointer, threads


class _Arguments(ctypes.Structure):
    """Mirrors `struct convolution` of char_cnn.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_words", "n_slots", "width", "n_filters")),
        *((name, ctypes.c_int64) for name in ("n_parts", "threads", "kind")),
        *((name, ctypes.c_void_p) for name in ("ids", "lengths", "table", "bias")),
        ("stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("largest", "largest_half", "where")),
        *((name, ctypes.c_void_p) for name in ("d_largest", "d_table")),
    )


class _HighwayArguments(ctypes.Structure):
    """Mirrors `struct highway` of char_cnn.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n", "dim", "n_parts", "threads")),
        *((name, ctypes.c_void_p) for name in ("gates", "x", "y", "d_y", "d_gates", "d_x")),
    )


def fit(convolutions: Sequence[nn.Conv1d], dtype: torch.dtype, device: torch.device) -> bool:
    """Return whether the kernel of prediction takes these convolutions."""
    return (
        device.type == "cpu"
        and dtype in (torch.float32, torch.bfloat16)
        and all(convolution.out_channels % 16 == 0 for convolution in convolutions)
        and available()
    )


def fit_for_training(
    convolutions: Sequence[nn.Conv1d], dtype: torch.dtype, device: torch.device
) -> bool:
    """Return whether the kernel of training takes these convolutions."""
    return fit(convolutions, dtype, device) and available_for_training()


class Tables(NamedTuple):
    """Holds convolutions as tables: what each character adds to each filter at each place.

    tables: (n_characters, width, filters) of each convolution; bias: (n_filters,); all float32.
    """

    tables: list[Tensor]
    bias: Tensor

    @classmethod
    def for_training(cls, embedding: nn.Embedding, convolutions: Sequence[nn.Conv1d]) -> "Tables":
        """Build the tables so that gradients reach the weights."""
        with torch.autocast("cpu", enabled=False):
            tables = [
                # (filters, characters, width) -> (n_characters, width, filters)
                torch.tensordot(embedding.weight.float(), conv.weight.float(), ([1], [1]))
                .transpose(1, 2)
                .contiguous()
                for conv in convolutions
            ]
            return cls(tables, _bias(convolutions))

    @classmethod
    def for_prediction(cls, embedding: nn.Embedding, convolutions: Sequence[nn.Conv1d]) -> "Tables":
        """Build the tables without gradients."""
        # Value by value of the embedding: no matrix product runs while weights are laid out.
        with torch.no_grad():
            tables = []
            for conv in convolutions:
                shape = len(embedding.weight), conv.weight.shape[2], conv.out_channels
                table = torch.zeros(shape, dtype=torch.float32)
                values, filters = embedding.weight.float().T, conv.weight.float().unbind(1)
                for value, own in zip(values, filters, strict=True):
                    table += value[:, None, None] * own.T
                tables.append(table)
            return cls(tables, _bias(convolutions))

    def pooled(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the largest value of each filter over a word's characters, before the activation.

        char_ids (n_words, max_characters) int64, lengths (n_words,) -> (n_words, n_filters)
        float32, without gradients.
        """
        ids, lengths = char_ids.to(torch.int16).contiguous(), lengths.to(torch.int16)
        largest = torch.empty(len(ids), len(self.bias), dtype=torch.float32)
        kind = kind_of_cpu()
        for table, columns in zip(self.tables, _columns(self.tables), strict=True):
            arguments = _arguments(ids, lengths, table, largest.stride(0))
            arguments.kind = kind
            arguments.bias = self.bias[columns].data_ptr()
            arguments.largest = largest[:, columns].data_ptr()
            call("pool", arguments)
        return largest

    def pooled_with_gradients(
        self, char_ids: Tensor, lengths: Tensor, dtype: torch.dtype
    ) -> Tensor:
        """Return what `pooled` does, in this dtype and with gradients."""
        ids, lengths = char_ids.to(torch.int16).contiguous(), lengths.to(torch.int16)
        with torch.autocast("cpu", enabled=False):
            return _TableSums.apply(ids, lengths, self.bias, dtype, *self.tables)


def _bias(convolutions: Sequence[nn.Conv1d]) -> Tensor:
    return torch.cat([cast(Tensor, conv.bias).float() for conv in convolutions])


def _columns(tables: Iterable[Tensor]) -> list[slice]:
    """Return the columns that each table's filters have among all filters."""
    sizes = [table.shape[2] for table in tables]
    return [slice(end - n, end) for n, end in zip(sizes, accumulate(sizes), strict=True)]


class _TableSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, ids: Tensor, lengths: Tensor, bias: Tensor, dtype: torch.dtype, *tables: Tensor
    ) -> Tensor:
        largest = torch.empty(len(ids), len(bias), dtype=dtype)
        where = torch.empty(len(ids), len(bias), dtype=torch.int16)
        name = "largest" if dtype == torch.float32 else "largest_half"
        for table, columns in zip(tables, _columns(tables), strict=True):
            arguments = _arguments(ids, lengths, table, where.stride(0))
            arguments.where = where[:, columns].data_ptr()
            arguments.bias = bias[columns].data_ptr()
            setattr(arguments, name, largest[:, columns].data_ptr())
            call("convolution_forward", arguments)
        ctx.save_for_backward(ids, lengths, where)
        ctx.shapes, ctx.columns = [table.shape for table in tables], _columns(tables)
        return largest

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        ids, lengths, where = ctx.saved_tensors
        d_largest = grad_outputs[0].float().contiguous()
        d_tables = []
        for shape, columns in zip(ctx.shapes, ctx.columns, strict=True):
            d_tables.append(torch.zeros(shape, dtype=torch.float32))
            arguments = _arguments(ids, lengths, d_tables[-1], where.stride(0))
            arguments.where = where[:, columns].data_ptr()
            arguments.d_table = pointer(d_tables[-1])
            arguments.d_largest = d_largest[:, columns].data_ptr()
            call("convolution_backward", arguments)
        return None, None, d_largest.sum(0), None, *d_tables


def _arguments(ids: Tensor, lengths: Tensor, table: Tensor, stride: int) -> _Arguments:
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
    )


def highway(x: Tensor, transform: nn.Linear, carry: nn.Linear) -> Tensor:
    """Compute carry * relu(transform(x)) + (1 - carry) * x for x (n, dim) bfloat16 -> bfloat16."""
    weight = torch.cat([transform.weight, carry.weight])
    bias = torch.cat([transform.bias, carry.bias])
    with torch.autocast("cpu", enabled=False):
        return _Highway.apply(x.contiguous(), weight, bias)


def highway_fits(x: Tensor) -> bool:
    """Return whether the kernel takes a highway's input x (n, dim)."""
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
