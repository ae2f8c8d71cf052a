"""One direction of an LSTM over packed sequences, with its gradient written out.

torch's own LSTM runs packed sequences step by step through float32 products that are slow on
many CPUs, and has no dropout on the recurrence. Here the products that need not wait for the
step before (inputs, and all weight gradients) are one each, and products run in bfloat16 where
that is asked for; sums and states stay float32.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def packed_lstm(
    inputs: Tensor,
    batch_sizes: Sequence[int],
    input_weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor,
    recurrent_mask: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """inputs (n_packed, n_in) -> outputs (n_packed, units), both float32.

    batch_sizes: sequences still running at each step; never grows. Gates stand in torch's
    order: input, forget, candidate, output; weights (4 * units, n_in) and (4 * units, units),
    bias (4 * units,). recurrent_mask (n_sequences, units): factors on the recurrent input, the
    same at every step. dtype: of the matrix products.
    """
    return _PackedLSTM.apply(
        inputs, list(batch_sizes), input_weight, recurrent_weight, bias, recurrent_mask, dtype
    )


class _PackedLSTM(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        batch_sizes: list[int],
        input_weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor,
        mask: Tensor | None,
        dtype: torch.dtype,
    ) -> Tensor:
        units = recurrent_weight.shape[1]
        x, w_in = inputs.to(dtype), input_weight.to(dtype)
        w_rec = recurrent_weight.to(dtype)
        gates = torch.addmm(bias.to(dtype), x, w_in.T).float()  # (n_packed, 4 * units)
        previous = inputs.new_zeros(len(inputs), units)  # recurrent input of each token, masked
        cells = inputs.new_empty(len(inputs), units)
        outputs = inputs.new_empty(len(inputs), units)
        h = c = inputs.new_zeros(batch_sizes[0], units)
        start = 0
        for n in batch_sizes:
            now = slice(start, start + n)
            start += n
            if now.start:
                h = h[:n] if mask is None else h[:n] * mask[:n]
                previous[now] = h
                gates[now] += h.to(dtype) @ w_rec.T
            i, f, g, o = gates[now].chunk(4, dim=1)
            gates[now, : 2 * units].sigmoid_()
            gates[now, 3 * units :].sigmoid_()
            g.tanh_()
            c = torch.addcmul(f * c[:n], i, g, out=cells[now])
            h = torch.mul(o, torch.tanh(c), out=outputs[now])
        ctx.save_for_backward(x, w_in, w_rec, gates, previous, cells, mask)
        ctx.batch_sizes = batch_sizes
        return outputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        (d_outputs,) = grad_outputs
        x, w_in, w_rec, gates, previous, cells, mask = ctx.saved_tensors
        units = w_rec.shape[1]
        d_gates = torch.empty_like(gates)
        d_h_next = d_c_next = gates.new_zeros(0, units)  # from the step after
        end = len(gates)
        for t in range(len(ctx.batch_sizes) - 1, -1, -1):
            n = ctx.batch_sizes[t]
            now = slice(end - n, end)
            end -= n
            i, f, g, o = gates[now].chunk(4, dim=1)
            # Sequences that end here got nothing from the step after.
            d_h = d_outputs[now].clone()
            d_h[: len(d_h_next)] += d_h_next
            tanh_c = torch.tanh(cells[now])
            d_c = d_h * o * (1 - tanh_c * tanh_c)
            d_c[: len(d_c_next)] += d_c_next
            d = d_gates[now]
            torch.mul(d_c * g, i * (1 - i), out=d[:, :units])
            if end:
                c_before = cells[end - ctx.batch_sizes[t - 1] :][:n]
                torch.mul(d_c * c_before, f * (1 - f), out=d[:, units : 2 * units])
            else:
                d[:, units : 2 * units] = 0  # the first cell state is zero
            torch.mul(d_c * i, 1 - g * g, out=d[:, 2 * units : 3 * units])
            torch.mul(d_h * tanh_c, o * (1 - o), out=d[:, 3 * units :])
            d_h_next = (d.to(w_rec.dtype) @ w_rec).float()
            if mask is not None:
                d_h_next = d_h_next * mask[:n]
            d_c_next = d_c * f
        d = d_gates.to(x.dtype)
        d_inputs = (d @ w_in).float() if ctx.needs_input_grad[0] else None
        d_input_weight = (d.T @ x).float()
        d_recurrent_weight = (d.T @ previous.to(x.dtype)).float()
        return d_inputs, None, d_input_weight, d_recurrent_weight, d_gates.sum(0), None, None
