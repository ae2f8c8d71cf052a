"""One direction of an LSTM over packed sequences, with its gradient written out.

torch's own LSTM runs packed sequences step by step through float32 products that are slow on
many CPUs, has neither clipping nor dropout on the recurrence, and automatic differentiation of
a loop takes a product for every weight's gradient at every step. Here the products that need
not wait for the step before (inputs, and all weight gradients) are one each, and products run
in bfloat16 where that is asked for; sums and states stay float32.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Products over all rows run on a multiple of this many. For each shape it meets, oneDNN builds
# a kernel that torch keeps, megabytes with its buffers; batches hardly ever have one number of
# tokens twice, and memory grew at every step of training.
_ROWS = 64


class LSTMWeights(NamedTuple):
    """Of one layer and direction. Gates stand in torch's order: input, forget, candidate, output.

    input (4 * units, n_in), recurrent (4 * units, n_out), bias (4 * units,),
    projection (n_out, units), or None where n_out is units: what a step hands on, Sak et al. 2014.
    """

    input: Tensor
    recurrent: Tensor
    bias: Tensor
    projection: Tensor | None = None


def packed_lstm(
    inputs: Tensor,
    batch_sizes: Sequence[int],
    weights: LSTMWeights,
    *,
    state: tuple[Tensor, Tensor] | None = None,
    recurrent_mask: Tensor | None = None,
    cell_clip: float | None = None,
    proj_clip: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """inputs (n_packed, n_in) -> outputs (n_packed, n_out), cells (n_packed, units), all float32.

    batch_sizes: sequences still running at each step; never grows. state: h (n_sequences, n_out)
    and c (n_sequences, units) that sequences start from, without gradient; zeros if None.
    recurrent_mask (n_sequences, n_out): factors on the recurrent input, the same at every step.
    cell_clip, proj_clip: bounds of cell states and of projected outputs; no gradient passes a
    value at its bound. dtype: of the matrix products. Cells carry no gradient.
    """
    outputs, cells = _PackedLSTM.apply(
        inputs,
        list(batch_sizes),
        *weights,
        state,
        recurrent_mask,
        (cell_clip, proj_clip),
        dtype,
    )
    return outputs, cells


class _PackedLSTM(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        batch_sizes: list[int],
        input_weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor,
        projection: Tensor | None,
        state: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        clips: tuple[float | None, float | None],
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        n_out, units = recurrent_weight.shape[1], len(bias) // 4
        cell_clip, proj_clip = clips
        x, w_in, w_rec = (
            with_more_rows(inputs.to(dtype)),
            input_weight.to(dtype),
            recurrent_weight.to(dtype),
        )
        w_out = None if projection is None else projection.to(dtype)
        # (n_rows, 4 * units): what the inputs give each gate, later what each gate let pass.
        gates = torch.addmm(bias.to(dtype), x, w_in.T)
        previous = torch.zeros(len(x), n_out, dtype=dtype, device=inputs.device)
        cells = inputs.new_empty(len(inputs), units)
        squashed = torch.empty_like(cells)  # tanh of the cells
        hidden = inputs.new_empty(len(inputs), units)
        outputs = hidden if w_out is None else inputs.new_empty(len(inputs), n_out)
        if state is not None:
            h, c = state
        else:
            h, c = inputs.new_zeros(batch_sizes[0], n_out), inputs.new_zeros(batch_sizes[0], units)
        start = 0
        for n in batch_sizes:
            now = slice(start, start + n)
            start += n
            step = gates[now]
            if now.start or state is not None:
                h = h[:n] if mask is None else h[:n] * mask[:n]
                previous[now] = h
                step = torch.addmm(step, previous[now], w_rec.T)
            step = step.float()
            i, f, g, o = step.chunk(4, dim=1)
            # tanh(x) is 2 s(2x) - 1 of the logistic function s, which is several times as fast.
            g.mul_(2)
            step.sigmoid_()
            g.mul_(2).sub_(1)
            gates[now] = step
            c = torch.mul(f, c[:n], out=cells[now]).addcmul_(i, g)
            if cell_clip is not None:
                c.clamp_(-cell_clip, cell_clip)
            tanh_c = torch.mul(c, 2, out=squashed[now]).sigmoid_().mul_(2).sub_(1)
            h = torch.mul(o, tanh_c, out=hidden[now])
            if w_out is not None:
                h = outputs[now].copy_((h.to(dtype) @ w_out.T).float())
                if proj_clip is not None:
                    h.clamp_(-proj_clip, proj_clip)
        ctx.save_for_backward(
            x, w_in, w_rec, w_out, gates, previous, cells, squashed, hidden, outputs, mask
        )
        ctx.batch_sizes, ctx.clips = batch_sizes, clips
        ctx.first_cell = None if state is None else state[1]
        ctx.mark_non_differentiable(cells)
        return outputs, cells

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        d_outputs = grad_outputs[0]
        x, w_in, w_rec, w_out, gates, previous, cells, squashed, hidden, outputs, mask = (
            ctx.saved_tensors
        )
        n_out, units = w_rec.shape[1], cells.shape[1]
        cell_clip, proj_clip = ctx.clips
        n_packed = len(cells)
        d_gates = torch.empty_like(gates)
        d_gates[n_packed:] = 0
        d_projected = x.new_zeros(len(x), n_out) if w_out is not None else None
        d_h_next = cells.new_zeros(0, n_out)  # from the step after
        d_c_next = cells.new_zeros(0, units)
        step = cells.new_empty(ctx.batch_sizes[0], 4 * units)
        end = n_packed
        for t in range(len(ctx.batch_sizes) - 1, -1, -1):
            n = ctx.batch_sizes[t]
            now = slice(end - n, end)
            end -= n
            i, f, g, o = gates[now].float().chunk(4, dim=1)
            # Sequences that end here got nothing from the step after.
            d_h = d_outputs[now].clone()
            d_h[: len(d_h_next)] += d_h_next
            if d_projected is not None:
                if proj_clip is not None:
                    d_h *= outputs[now].abs() < proj_clip
                d_projected[now] = d_h
                d_h = (d_projected[now] @ w_out).float()
            tanh_c = squashed[now]
            d_c = d_h * o
            d_c -= d_c * tanh_c * tanh_c
            d_c[: len(d_c_next)] += d_c_next
            if cell_clip is not None:
                d_c *= cells[now].abs() < cell_clip
            c_before = cells[end - ctx.batch_sizes[t - 1] :][:n] if end else ctx.first_cell
            # In float32 first: one conversion of whole rows is faster than one of each quarter.
            d_i, d_f, d_g, d_o = step[:n].chunk(4, dim=1)
            torch.mul(i, 1 - i, out=d_i).mul_(g).mul_(d_c)
            if c_before is None:
                d_f.zero_()  # the first cell state is zero
            else:
                torch.mul(f, 1 - f, out=d_f).mul_(c_before).mul_(d_c)
            torch.mul(g, g, out=d_g).neg_().add_(1).mul_(i).mul_(d_c)
            torch.mul(o, 1 - o, out=d_o).mul_(tanh_c).mul_(d_h)
            d = d_gates[now].copy_(step[:n])
            d_h_next = (d @ w_rec).float()
            if mask is not None:
                d_h_next = d_h_next * mask[:n]
            d_c_next = d_c.mul_(f)
        d_projection = None
        if d_projected is not None:
            d_projection = (d_projected.T @ with_more_rows(hidden.to(x.dtype))).float()
        return (
            (d_gates @ w_in)[:n_packed].float() if ctx.needs_input_grad[0] else None,
            None,
            (d_gates.T @ x).float(),
            (d_gates.T @ previous).float(),
            # A product: summing bfloat16 columns in float32 takes torch twenty times as long.
            (d_gates.new_ones(1, len(d_gates)) @ d_gates)[0].float(),
            d_projection,
            *[None] * 4,
        )


def with_more_rows(x: Tensor) -> Tensor:
    """x (n, width) with rows of zeros up to a multiple of _ROWS."""
    return F.pad(x, (0, 0, 0, -len(x) % _ROWS))
