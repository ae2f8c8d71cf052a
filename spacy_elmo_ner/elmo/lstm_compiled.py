"""Run an LSTM layer in compiled code: `lstm_training.c` and `prediction.c` behind tensors."""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..errors import Errors, shown
from .kernels import available_for_training, call, kind_of_cpu, pointer, threads

_UNBOUNDED = float("inf")


class _Arguments(ctypes.Structure):
    """Mirrors `struct lstm` of lstm_training.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_steps", "n_in", "n_out", "units")),
        *((name, ctypes.c_int64) for name in ("n_parts", "threads")),
        *((name, ctypes.c_void_p) for name in ("sizes", "inputs", "h0", "c0", "mask")),
        *((name, ctypes.c_void_p) for name in ("input", "recurrent", "bias", "projection")),
        *((name, ctypes.c_int64) for name in ("input_stride", "recurrent_stride")),
        ("order", ctypes.c_int64 * 4),
        *((name, ctypes.c_float) for name in ("cell_clip", "proj_clip", "forget_bias")),
        *((name, ctypes.c_void_p) for name in ("packed", "outputs", "last_cells")),
        *((name, ctypes.c_void_p) for name in ("read", "gates", "cells", "hidden")),
        *((name, ctypes.c_void_p) for name in ("d_outputs", "d_inputs", "d_weight", "d_bias")),
        *((name, ctypes.c_void_p) for name in ("d_input", "d_recurrent", "d_all_bias")),
        ("d_projected", ctypes.c_void_p),
        ("failed", ctypes.c_int64),
    )


class Saved(NamedTuple):
    """Holds what the backward pass needs from the forward pass."""

    read: Tensor
    gates: Tensor
    cells: Tensor
    hidden: Tensor
    outputs: Tensor


def fits(units: int, n_out: int, dtype: torch.dtype, device: torch.device) -> bool:
    """Return whether the kernels take a layer of this shape."""
    return (
        dtype == torch.bfloat16
        and device.type == "cpu"
        and units % 16 == n_out % 16 == 0
        and available_for_training()
    )


class CompiledLSTM:
    """Runs one layer and direction for training; holds its memory and its arguments."""

    def __init__(
        self,
        batch_sizes: Sequence[int],
        n_in: int,
        weights: Any,
        state: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        clips: tuple[float | None, float | None],
    ) -> None:
        self.batch_sizes = list(batch_sizes)
        self.n_parts = threads()
        self.n_packed = sum(batch_sizes)
        self.n_padded = sum(n + n % 2 for n in batch_sizes)
        self.n_in, self.n_out = n_in, weights.recurrent.shape[1]
        self.units = len(weights.bias) // 4
        self.read_width = n_in + n_in % 2 + self.n_out
        self._sizes = torch.tensor(self.batch_sizes)
        # Kept, as the kernels get their addresses.
        self._weights = input_weight, recurrent, bias, projection = (
            _rows(weights.input),
            _rows(weights.recurrent),
            _rows(weights.bias),
            None if weights.projection is None else _rows(weights.projection),
        )
        self._state = [part.float().contiguous() for part in state or ()]
        self._mask = None if mask is None else mask.float().contiguous()
        self._arguments = _Arguments(
            n_steps=len(self.batch_sizes),
            n_in=n_in,
            n_out=self.n_out,
            units=self.units,
            n_parts=self.n_parts,
            threads=self.n_parts,
            sizes=self._sizes.data_ptr(),
            h0=self._state[0].data_ptr() if state else None,
            c0=self._state[1].data_ptr() if state else None,
            mask=pointer(self._mask),
            input=input_weight.data_ptr(),
            recurrent=recurrent.data_ptr(),
            bias=bias.data_ptr(),
            projection=pointer(projection),
            input_stride=input_weight.stride(0),
            recurrent_stride=recurrent.stride(0),
            order=(ctypes.c_int64 * 4)(*map(weights.gates.index, "ifgo")),
            forget_bias=weights.forget_bias,
            cell_clip=_UNBOUNDED if clips[0] is None else clips[0],
            proj_clip=_UNBOUNDED if clips[1] is None else clips[1],
        )

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Saved]:
        """Return outputs (n_packed, n_out), last cells (n_sequences, units) and what is saved."""
        half, n, units = torch.bfloat16, self.n_padded, self.units
        first = self.batch_sizes[0]
        has_projection = self._arguments.projection is not None
        outputs = torch.empty(self.n_packed, self.n_out, dtype=torch.float32)
        last_cells = torch.empty(first, units, dtype=torch.float32)
        saved = Saved(
            torch.empty(n, self.read_width, dtype=half),
            torch.empty(n, 4 * units, dtype=half),
            torch.empty(n + first + first % 2, units, dtype=half),
            torch.empty(n if has_projection else 0, units, dtype=half),
            outputs,
        )
        inputs = inputs.float().contiguous()
        self._call(
            "lstm_forward",
            inputs=inputs,
            outputs=outputs,
            last_cells=last_cells,
            read=saved.read,
            gates=saved.gates,
            cells=saved.cells,
            hidden=saved.hidden,
        )
        return outputs, last_cells, saved

    def backward(self, d_outputs: Tensor, saved: Saved) -> tuple[Tensor | None, ...]:
        """Return float32 gradients: inputs, input and recurrent weights, bias, projection."""
        units, width, n_in = self.units, self.read_width, self.n_in
        has_projection = self._arguments.projection is not None
        d_inputs = torch.empty(self.n_packed, n_in, dtype=torch.float32)
        d_weight = torch.zeros(self.n_parts, width, 4 * units, dtype=torch.float32)
        d_bias = torch.zeros(self.n_parts, 4 * units, dtype=torch.float32)
        d_weights = [torch.empty(4 * units, n, dtype=torch.float32) for n in (n_in, self.n_out)]
        d_all_bias = torch.empty(4 * units, dtype=torch.float32)
        rows = self.n_padded if has_projection else 0
        d_projected = torch.empty(rows, self.n_out, dtype=torch.bfloat16)
        self._call(
            "lstm_backward",
            outputs=saved.outputs,
            read=saved.read,
            gates=saved.gates,
            cells=saved.cells,
            hidden=saved.hidden,
            d_outputs=d_outputs.float().contiguous(),
            d_inputs=d_inputs,
            d_weight=d_weight,
            d_bias=d_bias,
            d_input=d_weights[0],
            d_recurrent=d_weights[1],
            d_all_bias=d_all_bias,
            d_projected=d_projected,
        )
        return (
            d_inputs,
            *d_weights,
            d_all_bias,
            (d_projected.T @ saved.hidden).float() if has_projection else None,
        )

    def _call(self, name: str, **tensors: Tensor) -> None:
        arguments = self._arguments
        packed = torch.empty(call("lstm_packed_units", arguments), dtype=torch.int32)
        arguments.packed = packed.data_ptr()
        for key, tensor in tensors.items():
            setattr(arguments, key, tensor.data_ptr())
        call(name, arguments)


def _rows(weight: Tensor) -> Tensor:
    """Return a weight as float32 with contiguous rows."""
    weight = weight.detach()
    if weight.dtype != torch.float32:
        weight = weight.float()
    return weight if weight.stride(-1) == 1 else weight.contiguous()


def _is_half(weight: Tensor) -> bool:
    """Return whether float16 holds all values exactly."""
    return torch.equal(weight.half().float(), weight)


class _Prediction(ctypes.Structure):
    """Mirrors `struct prediction` of prediction.c, its `struct layer` first."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_in", "n_out", "units")),
        *((name, ctypes.c_void_p) for name in ("input", "recurrent", "bias", "projection")),
        *((name, ctypes.c_int64) for name in ("kind", "n_steps", "n_parts")),
        *((name, ctypes.c_int64) for name in ("n_packed", "n_inputs", "n_outputs")),
        *((name, ctypes.c_void_p) for name in ("sizes", "inputs")),
        ("input_stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("reads", "outputs")),
        ("output_stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("writes", "h0", "c0", "last_cells")),
        *((name, ctypes.c_float) for name in ("cell_clip", "proj_clip")),
        *((name, ctypes.c_void_p) for name in ("packed", "halves")),
        ("failed", ctypes.c_int64),
    )


# Work that is worth a second thread, in multiplications: about a millisecond.
_WORTH_THREADS = 50_000_000
_ROWS_PER_PART = 6


class Places(NamedTuple):
    """Says where a layer reads and writes, instead of in packed order and to a new tensor.

    reads (n_packed,) int64: rows of inputs in packed order. outputs: the tensor to fill in.
    writes (n_packed,) int64: rows of outputs in packed order.
    """

    reads: Tensor | None = None
    outputs: Tensor | None = None
    writes: Tensor | None = None


IN_ORDER = Places()


class PackedLayer:
    """Runs one layer and direction for prediction, its weights laid out for the CPU."""

    def __init__(
        self,
        weights: Any,
        clips: tuple[float | None, float | None] = (None, None),
        kind: int | None = None,
    ) -> None:
        """Lay out the weights.

        weights: `LSTMWeights` in torch's order. clips: of cells and of outputs. kind: of CPU, as
        `prediction_kind` of prediction.c tells them apart; this CPU's for float32 if None.
        """
        self.n_in, self.n_out = weights.input.shape[1], weights.recurrent.shape[1]
        self.units = len(weights.bias) // 4
        own = [_rows(part).contiguous() for part in weights[:4] if part is not None]
        self._layer = {
            "n_in": self.n_in,
            "n_out": self.n_out,
            "units": self.units,
            "kind": kind_of_cpu() if kind is None else kind,
            "cell_clip": _UNBOUNDED if clips[0] is None else clips[0],
            "proj_clip": _UNBOUNDED if clips[1] is None else clips[1],
        }
        names = ("input", "recurrent", "bias", "projection")
        pointers = {name: part.data_ptr() for name, part in zip(names, own, strict=False)}
        arguments = _Prediction(**self._layer, **pointers)
        n_packed = call("prediction_packed_floats", arguments)
        self._packed = torch.empty(n_packed, dtype=torch.float32)
        self._layer["packed"] = arguments.packed = self._packed.data_ptr()
        call("prediction_pack", arguments)
        self._halves: Tensor | None = None
        if self._layer["kind"] in (1, 2) and all(map(_is_half, own[:2] + own[3:])):
            self._halves = self._packed.half()
            self._layer["halves"] = self._halves.data_ptr()
        # What all calls have in common. The kernel only asks whether there is a projection.
        self._common = _Prediction(**self._layer)
        if weights.projection is not None:
            self._common.projection = self._packed.data_ptr()

    def __call__(
        self,
        inputs: Tensor,
        batch_sizes: Sequence[int],
        state: tuple[Tensor, Tensor] | None = None,
        places: Places = IN_ORDER,
    ) -> tuple[Tensor, Tensor]:
        """Run as `FastLSTM` does. Raises ValueError for steps or rows that do not fit together."""
        reads, outputs, writes = places
        n_packed = (inputs if reads is None else reads).shape[0]
        if outputs is None:
            outputs = torch.empty(n_packed, self.n_out, dtype=torch.float32)
        first = max(0, batch_sizes[0]) if batch_sizes else 0
        self._check(inputs, outputs, n_packed, first, state, writes)
        inputs = _rows(inputs)
        reads = None if reads is None else reads.contiguous()
        writes = None if writes is None else writes.contiguous()
        last_cells = torch.empty(first, self.units, dtype=torch.float32)
        states = [_rows(part).contiguous() for part in state or ()]
        sizes = (ctypes.c_int64 * len(batch_sizes))(*batch_sizes)  # must outlive the call
        work = n_packed * 4 * self.units * (self.n_in + self.n_out)
        n_parts = min(threads(), -(-first // _ROWS_PER_PART)) if work > _WORTH_THREADS else 1
        arguments = _Prediction.from_buffer_copy(self._common)
        arguments.n_steps, arguments.n_parts = len(batch_sizes), n_parts
        arguments.n_packed, arguments.n_inputs = n_packed, inputs.shape[0]
        arguments.n_outputs = outputs.shape[0]
        arguments.sizes = ctypes.addressof(sizes)
        arguments.inputs, arguments.input_stride = inputs.data_ptr(), inputs.stride(0)
        arguments.outputs, arguments.output_stride = outputs.data_ptr(), outputs.stride(0)
        if reads is not None:
            arguments.reads = reads.data_ptr()
        if writes is not None:
            arguments.writes = writes.data_ptr()
        if states:
            arguments.h0, arguments.c0 = states[0].data_ptr(), states[1].data_ptr()
        arguments.last_cells = last_cells.data_ptr()
        problem = call("predict", arguments)
        if problem:
            what = (f"steps of {shown(list(batch_sizes))} for", "reads", "writes")[problem - 1]
            raise ValueError(Errors.EL025.format(problem=f"{what} {n_packed} tokens"))
        return outputs, last_cells

    def _check(
        self,
        inputs: Tensor,
        outputs: Tensor,
        n_packed: int,
        n_sequences: int,
        state: tuple[Tensor, Tensor] | None,
        writes: Tensor | None,
    ) -> None:
        """Raise ValueError for shapes that would make the kernel read or write out of bounds."""
        if inputs.ndim != 2 or inputs.shape[1] != self.n_in:
            problem = f"inputs of shape {tuple(inputs.shape)}, not (tokens, {self.n_in})"
        elif outputs.ndim != 2 or outputs.shape[1] != self.n_out:
            problem = f"outputs of shape {tuple(outputs.shape)}, not (tokens, {self.n_out})"
        elif outputs.dtype != torch.float32 or outputs.stride(1) != 1:
            problem = f"outputs of {outputs.dtype} or with gaps in a row"
        elif writes is not None and writes.shape[0] != n_packed:
            problem = f"{len(writes)} rows to write for {n_packed} tokens"
        elif state is not None and (
            state[0].shape != (n_sequences, self.n_out)
            or state[1].shape != (n_sequences, self.units)
        ):
            problem = f"states of shapes {tuple(state[0].shape)} and {tuple(state[1].shape)}"
        else:
            return
        raise ValueError(Errors.EL025.format(problem=problem))
