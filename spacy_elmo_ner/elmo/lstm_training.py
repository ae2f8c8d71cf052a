"""Run one direction of an LSTM over packed sequences for training, with its gradient written out.

torch's own LSTM runs packed sequences step by step through float32 products that are slow on many
CPUs, and has neither clipping nor dropout on the recurrence. Automatic differentiation of a loop
takes a product for every weight's gradient at every step. Here the products that do not depend on
the previous step (inputs, and all weight gradients) are one each, and products run in bfloat16 if
asked for; sums and states stay float32.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .lstm_compiled import CompiledLSTM, Saved, fits

# Products over all rows run on a multiple of this many. For each shape it meets, oneDNN builds
# a kernel that torch keeps, megabytes with its buffers; batches hardly ever have one number of
# tokens twice, and memory grew at every step of training.
_ROWS = 64


class LSTMWeights(NamedTuple):
    """Holds the weights of one layer and direction.

    input (4 * units, n_in), recurrent (4 * units, n_out), bias (4 * units,),
    projection (n_out, units), or None where n_out is units: what a step hands on, Sak et al. 2014.
    gates: their order in the first three: input, forget, candidate (g) and output, as in torch.
    forget_bias: a constant that the forget gate's bias does not hold.
    """

    input: Tensor
    recurrent: Tensor
    bias: Tensor
    projection: Tensor | None = None
    gates: str = "ifgo"
    forget_bias: float = 0.0

    def in_torch_order(self) -> "LSTMWeights":
        """Return the same with gates as in torch and the constant added to the bias."""
        places = list(map(self.gates.index, "ifgo"))

        def ordered(weight: Tensor) -> Tensor:
            chunks = weight.chunk(4)
            return torch.cat([chunks[place] for place in places])

        bias = ordered(self.bias)
        if self.forget_bias:
            units = len(self.bias) // 4
            constant = torch.zeros_like(bias)
            constant[units : 2 * units] = self.forget_bias
            bias = bias + constant
        return LSTMWeights(ordered(self.input), ordered(self.recurrent), bias, self.projection)


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
    """Return outputs (n_packed, n_out) and last cells (n_sequences, units), both float32.

    inputs: (n_packed, n_in) float32. batch_sizes: sequences still running at each step; never
    grows. state: h (n_sequences, n_out) and c (n_sequences, units) that sequences start from,
    without gradient; zeros if None.
    recurrent_mask (n_sequences, n_out): factors on the recurrent input, the same at every step.
    cell_clip, proj_clip: bounds of cell states and of projected outputs; no gradient passes a
    value at its bound. dtype: of the matrix products. Cells carry no gradient.
    """
    clips = cell_clip, proj_clip
    n_out, units = weights.recurrent.shape[1], len(weights.bias) // 4
    sizes, rest = list(batch_sizes), (state, recurrent_mask, clips)
    if fits(units, n_out, dtype, inputs.device):
        outputs, last_cells = _CompiledLSTM.apply(inputs, sizes, *weights, *rest)
    else:
        own = weights.in_torch_order()[:4]
        outputs, last_cells = _PackedLSTM.apply(inputs, sizes, *own, *rest, dtype)
    return outputs, last_cells


class _CompiledLSTM(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        batch_sizes: list[int],
        input_weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor,
        projection: Tensor | None,
        gates: str,
        forget_bias: float,
        state: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        clips: tuple[float | None, float | None],
    ) -> tuple[Tensor, Tensor]:
        weights = LSTMWeights(input_weight, recurrent_weight, bias, projection, gates, forget_bias)
        ctx.layer = CompiledLSTM(batch_sizes, inputs.shape[1], weights, state, mask, clips)
        outputs, last_cells, saved = ctx.layer.forward(inputs)
        ctx.save_for_backward(*saved)
        ctx.mark_non_differentiable(last_cells)
        return outputs, last_cells

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        d_inputs, *d_weights = ctx.layer.backward(grad_outputs[0], Saved(*ctx.saved_tensors))
        return d_inputs, None, *d_weights, *[None] * 5


class TorchTrainingCell:
    """Computes what a step needs between two products, and its gradient; gates in torch's order."""

    def forward(
        self,
        step: Tensor,
        gates: Tensor,
        before: Tensor,
        cells: Tensor,
        hidden: Tensor,
        clip: float | None,
    ) -> None:
        """Fill in gates (n, 4 * units), cells and hidden (n, units).

        step (n, 4 * units): what the product gives each gate; overwritten. gates: what each gate
        lets pass. before (n, units): cell states so far.
        """
        step = step.float()
        i, f, g, o = step.chunk(4, dim=1)
        # tanh(x) is 2 s(2x) - 1 of the logistic function s, which is several times as fast.
        g.mul_(2)
        step.sigmoid_()
        g.mul_(2).sub_(1)
        gates.copy_(step)
        torch.mul(i, g, out=cells).addcmul_(f, before)
        if clip is not None:
            cells.clamp_(-clip, clip)
        hidden.copy_(_tanh(cells).mul_(o))

    def backward(
        self,
        gates: Tensor,
        before: Tensor,
        cells: Tensor,
        d_hidden: Tensor,
        d_cells: Tensor,
        d_gates: Tensor,
        clip: float | None,
    ) -> None:
        """Fill in d_gates (n, 4 * units), of what the product gave, from d_hidden (n, units).

        d_cells (n, units): from the next step; overwritten with what the previous step gets.
        """
        # In float32 first: one conversion of whole rows is faster than one of each quarter.
        i, f, g, o = gates.float().chunk(4, dim=1)
        d_h, tanh_c = d_hidden.float(), _tanh(cells)
        d_cells.addcmul_(d_h * o, 1 - tanh_c * tanh_c)
        if clip is not None:
            d_cells.mul_(cells.abs() < clip)
        rows = torch.empty_like(d_gates, dtype=torch.float32)
        d_i, d_f, d_g, d_o = rows.chunk(4, dim=1)
        torch.mul(i, 1 - i, out=d_i).mul_(g).mul_(d_cells)
        torch.mul(f, 1 - f, out=d_f).mul_(before).mul_(d_cells)
        torch.mul(g, g, out=d_g).neg_().add_(1).mul_(i).mul_(d_cells)
        torch.mul(o, 1 - o, out=d_o).mul_(tanh_c).mul_(d_h)
        d_gates.copy_(rows)
        d_cells.mul_(f)


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
        x = with_more_rows(inputs.to(dtype))
        w_in, w_rec = input_weight.to(dtype), recurrent_weight.to(dtype)
        w_out = None if projection is None else projection.to(dtype)
        # (n_rows, 4 * units): what the inputs give each gate, later what each gate let pass.
        gates = torch.addmm(bias.to(dtype), x, w_in.T)
        previous = torch.zeros(len(x), n_out, dtype=dtype, device=inputs.device)
        # Float32 whatever the inputs are: under autocast they may be bfloat16.
        cells = inputs.new_empty(len(inputs), units, dtype=torch.float32)
        outputs = inputs.new_empty(len(inputs), n_out, dtype=torch.float32)
        hidden = outputs if w_out is None else gates.new_zeros(len(x), units)
        cell = TorchTrainingCell()
        h, first_cells = state or (None, cells.new_zeros(batch_sizes[0], units))
        before = first_cells = first_cells.float().contiguous()
        start = 0
        for n in batch_sizes:
            now = slice(start, start + n)
            start += n
            if h is None:
                step = gates[now].clone()
            else:
                h = h[:n] if mask is None else h[:n] * mask[:n]
                previous[now] = h
                step = torch.addmm(gates[now], previous[now], w_rec.T)
            cell.forward(step, gates[now], before[:n], cells[now], hidden[now], cell_clip)
            before, h = cells[now], outputs[now]
            if w_out is not None:
                h.copy_(hidden[now] @ w_out.T)
                if proj_clip is not None:
                    h.clamp_(-proj_clip, proj_clip)
        ctx.save_for_backward(
            x, w_in, w_rec, w_out, gates, previous, first_cells, cells, hidden, outputs, mask
        )
        ctx.batch_sizes, ctx.clips, ctx.cell = batch_sizes, clips, cell
        last_cells = cells[last_positions(batch_sizes).to(cells.device)]
        ctx.mark_non_differentiable(last_cells)
        return outputs, last_cells

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        d_outputs = grad_outputs[0]
        x, w_in, w_rec, w_out, gates, previous, first_cells, cells, hidden, outputs, mask = (
            ctx.saved_tensors
        )
        n_out, units = w_rec.shape[1], cells.shape[1]
        cell_clip, proj_clip = ctx.clips
        n_packed = len(cells)
        d_gates = torch.empty_like(gates)
        d_gates[n_packed:] = 0
        d_projected = x.new_zeros(len(x), n_out) if w_out is not None else None
        d_h_next = cells.new_zeros(0, n_out)  # from the step after
        # Sequences that end at a step got nothing from the step after: zeros until then.
        d_cells = cells.new_zeros(ctx.batch_sizes[0], units)
        end = n_packed
        for t in range(len(ctx.batch_sizes) - 1, -1, -1):
            n = ctx.batch_sizes[t]
            now = slice(end - n, end)
            end -= n
            d_h = d_outputs[now].clone(memory_format=torch.contiguous_format)
            d_h[: len(d_h_next)] += d_h_next
            if d_projected is not None:
                if proj_clip is not None:
                    d_h *= outputs[now].abs() < proj_clip
                d_projected[now] = d_h
                d_h = d_projected[now] @ w_out
            before = cells[end - ctx.batch_sizes[t - 1] :][:n] if end else first_cells
            ctx.cell.backward(
                gates[now], before, cells[now], d_h, d_cells[:n], d_gates[now], cell_clip
            )
            d_h_next = (d_gates[now] @ w_rec).float()
            if mask is not None:
                d_h_next = d_h_next * mask[:n]
        return (
            (d_gates @ w_in)[:n_packed].float() if ctx.needs_input_grad[0] else None,
            None,
            (d_gates.T @ x).float(),
            (d_gates.T @ previous).float(),
            # A product: summing bfloat16 columns in float32 takes torch twenty times as long.
            (d_gates.new_ones(1, len(d_gates)) @ d_gates)[0].float(),
            None if d_projected is None else (d_projected.T @ hidden).float(),
            *[None] * 4,
        )


def last_positions(batch_sizes: Sequence[int]) -> Tensor:
    """Return where each sequence's last step is in packed order: (n_sequences,) int64."""
    positions = [0] * batch_sizes[0]
    start = 0
    for n, n_next in zip(batch_sizes, [*batch_sizes[1:], 0], strict=True):
        for row in range(n_next, n):
            positions[row] = start + row
        start += n
    return torch.tensor(positions)


def _tanh(x: Tensor) -> Tensor:
    return torch.mul(x, 2).sigmoid_().mul_(2).sub_(1)


def with_more_rows(x: Tensor) -> Tensor:
    """Add rows of zeros to x (n, width) up to a multiple of _ROWS."""
    return F.pad(x, (0, 0, 0, -len(x) % _ROWS))
