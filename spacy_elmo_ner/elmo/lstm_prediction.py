"""Run one direction of an LSTM over packed sequences, for prediction only.

Results are those of `packed_lstm` up to float32 rounding, in about half the time: input and
recurrence are one product per step on weights laid out for the CPU, no step's gates are kept, and
tanh, which is several times as slow as the logistic function s, is 2 s(2x) - 1 with the factors
moved into the weights.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from . import kernels
from .lstm_compiled import IN_ORDER, PackedLayer, Places
from .lstm_training import LSTMWeights
from .products import FastLinear, padded


class TorchCell:
    """Computes what a step needs between two products.

    Cell states are held doubled, as the logistic function needs them for their tanh; hidden states
    are half of o * tanh(c).
    """

    def hidden(
        self, gates: Tensor, n: int, cells: Tensor, hidden: Tensor, clip: float | None
    ) -> None:
        """Change the first n rows of cells (n_sequences, units), and fill in those of hidden.

        gates (n or more, 4 * units): input, forget, output, twice the candidate; overwritten.
        """
        i, f, o, j = gates[:n].float().sigmoid_().chunk(4, dim=1)
        j.sub_(0.5)
        c = cells[:n].mul_(f).addcmul_(i, j, value=4)
        if clip is not None:
            c.clamp_(-clip, clip)
        hidden[:n] = torch.sigmoid(c).sub_(0.5).mul_(o)

    def hand_on(
        self,
        hidden: Tensor,
        n: int,
        outputs: Tensor,
        next_states: Tensor,
        scale: float,
        clip: float | None,
    ) -> None:
        """Write scale * hidden, clipped, to outputs (n, width) and to the fewer next_states."""
        torch.mul(hidden[:n], scale, out=outputs)
        if clip is not None:
            outputs.clamp_(-clip, clip)
        next_states.copy_(outputs[: len(next_states)])


class FastLSTM:
    """Runs one layer and direction, with weights laid out for prediction."""

    def __init__(
        self,
        weights: LSTMWeights,
        *,
        cell_clip: float | None = None,
        proj_clip: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Lay out the weights. dtype: of the products; sums and states are float32."""
        weights = weights.in_torch_order()
        self.dtype = dtype
        self.units = len(weights.bias) // 4
        self.n_out = weights.recurrent.shape[1]
        self._compiled: PackedLayer | None = None
        on_cpu = weights.bias.device.type == "cpu"
        kind = kernels.prediction_kind(dtype) if on_cpu else None
        if kind is not None:
            self._compiled = PackedLayer(weights, (cell_clip, proj_clip), kind)
            return
        self._cell_bound = None if cell_clip is None else 2 * cell_clip
        both = torch.cat([weights.input, weights.recurrent], dim=1)
        bias = _for_logistic(weights.bias)
        self._gates = FastLinear(_for_logistic(both).to(dtype), bias.to(dtype))
        self._projection: FastLinear | None = None
        self._proj_clip: float | None = None
        if weights.projection is not None:
            self._proj_clip = proj_clip
            # Hidden states arrive halved.
            self._projection = FastLinear((weights.projection * 2).to(dtype))

    def __call__(
        self,
        inputs: Tensor,
        batch_sizes: Sequence[int],
        state: tuple[Tensor, Tensor] | None = None,
        places: Places = IN_ORDER,
    ) -> tuple[Tensor, Tensor]:
        """Return outputs (n_packed, n_out) and last cells (n_sequences, units), both float32.

        inputs: (n_packed, n_in). batch_sizes: sequences still running at each step; never grows.
        state: h (n_sequences, n_out) and c (n_sequences, units) to start from; zeros if None.
        """
        if self._compiled is not None:
            return self._compiled(inputs, batch_sizes, state, places)
        reads, outputs, writes = places
        n_packed, n_in = sum(batch_sizes), inputs.shape[1]
        device = inputs.device
        most, most_rows = batch_sizes[0], padded(batch_sizes[0])
        # The cell fills whole rows of memory, which those of other outputs may not be.
        direct = outputs is None and writes is None
        if outputs is None:
            outputs = torch.empty(n_packed, self.n_out, dtype=torch.float32, device=device)
        # One row per sequence: [input, previous state]. Extra rows at the end only pad the
        # product; their results are ignored.
        rows = torch.zeros(most_rows, n_in + self.n_out, dtype=self.dtype, device=device)
        tokens, states = rows[:, :n_in], rows[:, n_in:]
        cells = torch.zeros(most, self.units, dtype=torch.float32, device=device)
        if state is not None:
            states[:most] = state[0]
            torch.mul(state[1], 2, out=cells)
        hidden = torch.zeros(most_rows, self.units, dtype=self.dtype, device=device)
        handed_on = torch.empty(most, self.n_out, dtype=torch.float32, device=device)
        cell = TorchCell()
        scale = 2.0 if self._projection is None else 1.0
        following = [*batch_sizes[1:], 0]
        read, written = _of_steps(reads, batch_sizes), _of_steps(writes, batch_sizes)
        for n, n_next, source, place in zip(batch_sizes, following, read, written, strict=True):
            tokens[:n] = inputs[source]
            gates = self._gates(rows[: padded(n)])
            # Rows of sequences that have ended keep their last cell state.
            cell.hidden(gates, n, cells, hidden, self._cell_bound)
            h = hidden if self._projection is None else self._projection(hidden[: padded(n)])
            into = outputs[place] if direct else handed_on[:n]
            cell.hand_on(h, n, into, states[:n_next], scale, self._proj_clip)
            if not direct:
                outputs[place] = into
        return outputs, cells.div_(2)


def _of_steps(rows: Tensor | None, batch_sizes: Sequence[int]) -> Sequence[Tensor | slice]:
    """Return the rows of each step; None stands for packed order."""
    if rows is not None:
        return rows.split(list(batch_sizes))
    ends = accumulate(batch_sizes)
    return [slice(end - n, end) for n, end in zip(batch_sizes, ends, strict=True)]


def _for_logistic(gates: Tensor) -> Tensor:
    """Turn torch's order of gates into input, forget, output, twice the candidate."""
    i, f, g, o = gates.chunk(4)
    return torch.cat([i, f, o, g * 2])
