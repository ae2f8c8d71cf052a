"""Run one direction of the biLM: LSTM layers with projected, clipped states.

Sequences are in packed order, as in `torch.nn.utils.rnn.PackedSequence`: sorted longest first,
all first steps, then all second steps of those that have one, and so on. No step ever computes on
padding, which makes a sentence's vectors independent of its neighbours.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from .caches import Derived
from .lstm_compiled import Places
from .lstm_prediction import FastLSTM
from .lstm_training import LSTMWeights, last_positions, packed_lstm
from .options import LSTMOptions
from .products import own_parameters, product_dtype


class LSTMState(NamedTuple):
    """Holds h (n_sequences, projection_dim) and c (n_sequences, dim) of one layer, float32."""

    h: Tensor
    c: Tensor


class ProjectedLSTM(nn.Module):
    """Computes one LSTM layer with a projection of its output (Sak et al. 2014), clipped twice.

    Weights keep the official order of gates: input, candidate (j), forget, output. The forget
    gate's bias of 1 is added when running and is not part of the stored bias.
    """

    def __init__(self, options: LSTMOptions) -> None:
        super().__init__()
        self.options = options
        n_in = n_out = options.projection_dim
        self.weight = nn.Parameter(torch.empty(4 * options.dim, n_in + n_out, dtype=torch.float32))
        self.bias = nn.Parameter(torch.zeros(4 * options.dim, dtype=torch.float32))
        self.projection: nn.Parameter | None = None
        if options.has_projection:
            self.projection = nn.Parameter(torch.empty(n_out, options.dim, dtype=torch.float32))
            nn.init.xavier_uniform_(self.projection)
        nn.init.xavier_uniform_(self.weight)
        self._fast: Derived[FastLSTM] = Derived()

    def forward(
        self, inputs: Tensor, batch_sizes: Sequence[int], state: LSTMState | None = None
    ) -> tuple[Tensor, LSTMState]:
        """Return outputs like inputs, (n_packed, projection_dim), and each sequence's last state.

        batch_sizes: sequences still running at each step; never grows.
        state: where each sequence starts; zeros if None.
        """
        last = last_positions(batch_sizes).to(inputs.device)
        if torch.is_grad_enabled():
            self._fast.forget()
            outputs, last_cells = packed_lstm(
                inputs,
                batch_sizes,
                self._weights(),
                state=state,
                cell_clip=self.options.cell_clip,
                proj_clip=self.options.proj_clip,
                dtype=product_dtype(inputs),
            )
            return outputs, LSTMState(outputs[last], last_cells)
        outputs, last_cells = self.fast(inputs)(inputs, batch_sizes, state)
        return outputs, LSTMState(outputs[last], last_cells)

    def fast(self, inputs: Tensor) -> FastLSTM:
        """Return the layer as prediction runs it on such inputs."""
        dtype = product_dtype(inputs)
        return self._fast.get(own_parameters(self), lambda: self._make_fast(dtype), dtype)

    def _make_fast(self, dtype: torch.dtype) -> FastLSTM:
        return FastLSTM(
            self._weights(),
            cell_clip=self.options.cell_clip,
            proj_clip=self.options.proj_clip,
            dtype=dtype,
        )

    def _weights(self) -> LSTMWeights:
        n = self.options.projection_dim
        own, recurrent = self.weight.split([n, n], dim=1)
        return LSTMWeights(own, recurrent, self.bias, self.projection, "igfo", 1.0)


class LSTMStack(nn.Module):
    """Computes the layers of one direction, with skip connections from the second layer on."""

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
        """Return each layer's output like inputs, (n_packed, projection_dim), and last state."""
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

    def predict(
        self,
        layers: Tensor,
        rows: Tensor,
        batch_sizes: Sequence[int],
        states: Sequence[LSTMState] | None,
    ) -> None:
        """Fill in layers (n_layers + 1, n_tokens, projection_dim) from the first, which is given.

        rows (n_packed,) int64: of the tokens in packed order. Results are those of `forward`.
        """
        for depth, layer in enumerate(self.layers):
            source, target = layers[depth], layers[depth + 1]
            places = Places(rows, target, rows)
            fast = cast(ProjectedLSTM, layer).fast(source)
            fast(source, batch_sizes, states[depth] if states else None, places)
            if depth and self.use_skip_connections:
                target += source
