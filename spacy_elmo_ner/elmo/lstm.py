"""One direction of the biLM: LSTM layers with projected, clipped states.

Sequences stand in packed order, as in `torch.nn.utils.rnn.PackedSequence`: sorted longest
first, all first steps, then all second steps of those that have one, and so on. No step ever
computes on padding, which makes a sentence's vectors independent of its neighbours.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .options import LSTMOptions


class LSTMState(NamedTuple):
    """h (n_sequences, projection_dim) and c (n_sequences, dim) of one layer, float32."""

    h: Tensor
    c: Tensor


class ProjectedLSTM(nn.Module):
    """One LSTM layer with a projection of its output (Sak et al. 2014), clipped twice.

    Weights keep the official order of gates: input, candidate (j), forget, output. The forget
    gate's bias of 1 is added when running and is not part of the stored bias.
    """

    def __init__(self, options: LSTMOptions) -> None:
        super().__init__()
        self.options = options
        n_in = n_out = options.projection_dim
        self.weight = nn.Parameter(torch.empty(4 * options.dim, n_in + n_out))
        self.bias = nn.Parameter(torch.zeros(4 * options.dim))
        self.projection: nn.Parameter | None = None
        if options.has_projection:
            self.projection = nn.Parameter(torch.empty(n_out, options.dim))
            nn.init.xavier_uniform_(self.projection)
        nn.init.xavier_uniform_(self.weight)

    def forward(
        self, inputs: Tensor, batch_sizes: Sequence[int], state: LSTMState | None = None
    ) -> tuple[Tensor, LSTMState]:
        """inputs (n_packed, projection_dim) -> the same shape, and each sequence's last state.

        batch_sizes: sequences still running at each step; never grows.
        state: where each sequence starts; zeros if None.
        """
        options = self.options
        input_weight, recurrent_weight = self.weight.split(options.projection_dim, dim=1)
        if torch.is_autocast_enabled(inputs.device.type):
            # Autocast keeps casts of whole parameters only; this half would be cast each step.
            recurrent_weight = recurrent_weight.to(torch.get_autocast_dtype(inputs.device.type))
        forget_bias = self.bias.new_zeros(4, options.dim)
        forget_bias[2] = 1.0
        # One product over all steps for the input's half of the gates; only the recurrent
        # half has to wait for the step before.
        input_gates = F.linear(inputs, input_weight, self.bias + forget_bias.view(-1))
        h, c = state or LSTMState(
            inputs.new_zeros(batch_sizes[0], options.projection_dim),
            inputs.new_zeros(batch_sizes[0], options.dim),
        )
        outputs: list[Tensor] = []
        finished: list[LSTMState] = []
        for n, gates in zip(batch_sizes, input_gates.split(list(batch_sizes)), strict=True):
            if n < len(h):
                finished.append(LSTMState(h[n:], c[n:]))
                h, c = h[:n], c[:n]
            i, j, f, o = (gates + F.linear(h, recurrent_weight)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(j)
            c = _clip(c, options.cell_clip)
            h = torch.sigmoid(o) * torch.tanh(c)
            if self.projection is not None:
                h = _clip(F.linear(h, self.projection), options.proj_clip)
            outputs.append(h)
        finished.append(LSTMState(h, c))
        # Sequences end shortest first, and the shortest stand last.
        last = LSTMState(*(torch.cat(parts[::-1]) for parts in zip(*finished, strict=True)))
        return torch.cat(outputs), last


class LSTMStack(nn.Module):
    """The layers of one direction, with skip connections from the second layer on."""

    def __init__(self, options: LSTMOptions) -> None:
        super().__init__()
        self.use_skip_connections = options.use_skip_connections
        self.layers = nn.ModuleList(ProjectedLSTM(options) for _ in range(options.n_layers))

    def forward(
        self,
        inputs: Tensor,
        batch_sizes: Sequence[int],
        states: Sequence[LSTMState] | None = None,
    ) -> tuple[list[Tensor], list[LSTMState]]:
        """inputs (n_packed, projection_dim) -> each layer's output, same shape, and last state."""
        outputs: list[Tensor] = []
        last_states = []
        x = inputs
        for depth, layer in enumerate(self.layers):
            y, last = layer(x, batch_sizes, states[depth] if states else None)
            # The first layer's input is the word itself: adding it would mix context-free
            # information into layer 1. The recurrence never sees the sum.
            x = x + y if depth and self.use_skip_connections else y
            outputs.append(x)
            last_states.append(last)
        return outputs, last_states


def _clip(x: Tensor, bound: float | None) -> Tensor:
    return x if bound is None else x.clamp(-bound, bound)
