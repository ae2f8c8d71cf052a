"""One direction of an LSTM over packed sequences, for prediction only.

The same numbers as `packed_lstm` up to float32 rounding, in about half the time: input and
recurrence are one product a step on weights laid out for the CPU, no step's gates outlive it,
and tanh, which is several times as slow as the logistic function s, is 2 s(2x) - 1 with the
factors moved into the weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .fast_linear import FastLinear
from .packed_lstm import LSTMWeights


class FastLSTM:
    """Weights of one layer and direction, laid out for reading."""

    def __init__(
        self,
        weights: LSTMWeights,
        *,
        cell_clip: float | None = None,
        proj_clip: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """dtype: of the products; sums and states are float32."""
        self.dtype = dtype
        self.units = len(weights.bias) // 4
        self.n_out = weights.recurrent.shape[1]
        self.cell_clip = cell_clip
        self.proj_clip = proj_clip
        both = torch.cat([weights.input, weights.recurrent], dim=1)
        bias = _for_logistic(weights.bias)
        self._gates = FastLinear(_for_logistic(both).to(dtype), bias.to(dtype))
        self._projection: FastLinear | None = None
        if weights.projection is not None:
            # Hidden states arrive here as o * (s(2c) - 1/2), half of o * tanh(c).
            self._projection = FastLinear((weights.projection * 2).to(dtype))

    def __call__(
        self,
        inputs: Tensor,
        batch_sizes: Sequence[int],
        state: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """inputs (n_packed, n_in) -> outputs (n_packed, n_out), last cells (n_sequences, units).

        Both float32. batch_sizes: sequences still running at each step; never grows. state: h
        (n_sequences, n_out) and c (n_sequences, units) to start from; zeros if None.
        """
        n_packed, n_in = inputs.shape
        device = inputs.device
        outputs = torch.empty(n_packed, self.n_out, device=device)
        # Each row is a token beside the state that reaches it.
        rows = torch.empty(n_packed, n_in + self.n_out, dtype=self.dtype, device=device)
        rows[:, :n_in] = inputs
        n = batch_sizes[0]
        # Twice the cell state: what the logistic function needs for the tanh of it.
        cells = torch.zeros(n, self.units, device=device)
        rows[:n, n_in:] = 0
        if state is not None:
            rows[:n, n_in:], cells = state[0], state[1] * 2
        bound = None if self.cell_clip is None else 2 * self.cell_clip
        end = 0
        for n, n_next in zip(batch_sizes, [*batch_sizes[1:], 0], strict=True):
            now = slice(end, end + n)
            end += n
            gates = self._gates(rows[now]).float().sigmoid_()
            i, f, o, j = gates.chunk(4, dim=1)
            j.sub_(0.5)
            # In place: the rows of sequences that have ended keep their last state.
            c = cells[:n].mul_(f).addcmul_(i, j, value=4)
            if bound is not None:
                c.clamp_(-bound, bound)
            h = torch.sigmoid(c).sub_(0.5).mul_(o)
            if self._projection is None:
                h.mul_(2)
            else:
                h = self._projection(h.to(self.dtype)).float()
            if self._projection is not None and self.proj_clip is not None:
                h.clamp_(-self.proj_clip, self.proj_clip)
            outputs[now] = h
            rows[end : end + n_next, n_in:] = h[:n_next]
        return outputs, cells.div_(2)


def _for_logistic(gates: Tensor) -> Tensor:
    """Torch's order of gates -> input, forget, output, twice the candidate."""
    i, f, g, o = gates.chunk(4)
    return torch.cat([i, f, o, g * 2])
