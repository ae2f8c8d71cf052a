"""Compute the residual BiLSTM in torch: training and prediction over packed sequences."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..elmo.caches import Derived
from ..elmo.kernels import training_dtype
from ..elmo.lstm_compiled import Places
from ..elmo.lstm_prediction import FastLSTM
from ..elmo.lstm_training import LSTMWeights, packed_lstm
from ..elmo.packing import Packing, inverse
from ..elmo.products import own_parameters, product_dtype

_DIRECTIONS = ("l0", "l0_reverse")  # torch's names of the forward and the backward half


class ResidualBiLSTM(nn.Module):
    """Computes x1 = BiLSTM(x), x2 = BiLSTM(x1), out = x1 + x2, over tokens in packed order."""

    def __init__(self, n_in: int, units: int, dropout: float, recurrent_dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.lower = nn.LSTM(n_in, units, bidirectional=True, dtype=torch.float32)
        self.upper = nn.LSTM(2 * units, units, bidirectional=True, dtype=torch.float32)
        for lstm in (self.lower, self.upper):
            _init_as_keras(lstm)
        self._fast: dict[str, Derived[list[FastLSTM]]] = {"lower": Derived(), "upper": Derived()}

    # Packed, so that a Doc's result does not depend on the Docs beside it: over padding the
    # backward half would start from it (Thinc's with_padded does).

    def forward(self, inputs: Tensor, packing: Packing) -> Tensor:
        """Run for training: inputs (n_flat, n_in), Doc after Doc -> (n_flat, 2 * units)."""
        for fast in self._fast.values():
            fast.forget()
        x1 = self._run_training(self.lower, inputs, packing)
        return x1 + self._run_training(self.upper, x1, packing)

    def predict(
        self,
        which: Literal["lower", "upper"],
        inputs: Tensor,
        outputs: Tensor,
        packing: Packing,
        *,
        reads: Tensor | None = None,
        writes: Tensor | None = None,
    ) -> None:
        """Fill in x1 from x, or x2 from x1.

        inputs (n, n_in), outputs (m, 2 * units); reads and writes (n_flat,) int64 are the rows of
        the packing's tokens in each, in order if None.
        """
        lstm: nn.LSTM = getattr(self, which)
        if inputs.device.type != "cpu":
            position = packing.forward.to(inputs.device)
            tokens = inputs[_at(reads, position)]
            packed = PackedSequence(tokens, torch.tensor(packing.batch_sizes))
            outputs[_at(writes, position)] = lstm(packed)[0].data
            return
        dtype = product_dtype(inputs)
        fast = self._fast[which].get(
            own_parameters(lstm),
            lambda: [FastLSTM(_weights(lstm, s), dtype=dtype) for s in _DIRECTIONS],
            dtype,
        )
        # Read and write tokens in place: fresh memory for a large batch costs more than the
        # computation on it.
        positions = (packing.forward, packing.backward)
        for half, run, position in zip(outputs.chunk(2, dim=1), fast, positions, strict=True):
            places = Places(_at(reads, position), half, _at(writes, position))
            run(inputs, packing.batch_sizes, places=places)

    def _run_training(self, lstm: nn.LSTM, x: Tensor, packing: Packing) -> Tensor:
        """Run with dropout, and with products in `training_dtype`.

        In bfloat16 they are four times as fast on CPUs that have them, and cost no accuracy here.
        """
        n_docs = packing.batch_sizes[0]
        row = torch.cat([torch.arange(n) for n in packing.batch_sizes]).to(x.device)
        halves = []
        input_mask = _mask(x, n_docs, lstm.input_size, self.dropout)
        for suffix, positions in zip(_DIRECTIONS, (packing.forward, packing.backward), strict=True):
            positions = positions.to(x.device)
            inputs = x[positions]
            output, _ = packed_lstm(
                inputs if input_mask is None else inputs * input_mask[row],
                packing.batch_sizes,
                _weights(lstm, suffix),
                recurrent_mask=_mask(x, n_docs, lstm.hidden_size, self.recurrent_dropout),
                dtype=training_dtype(),
            )
            halves.append(output[inverse(positions)])
        return torch.cat(halves, dim=1)


def _at(rows: Tensor | None, position: Tensor) -> Tensor:
    """Return the rows of the tokens at these positions."""
    return position if rows is None else rows.to(position.device)[position]


def _weights(lstm: nn.LSTM, suffix: str) -> LSTMWeights:
    return LSTMWeights(
        getattr(lstm, f"weight_ih_{suffix}"),
        getattr(lstm, f"weight_hh_{suffix}"),
        getattr(lstm, f"bias_ih_{suffix}") + getattr(lstm, f"bias_hh_{suffix}"),
    )


def _mask(like: Tensor, n_docs: int, width: int, rate: float) -> Tensor | None:
    """Draw dropout factors (n_docs, width): 0 at the given rate, else 1 / (1 - rate)."""
    if not rate:
        return None
    return like.new_empty(n_docs, width).bernoulli_(1 - rate).div_(1 - rate)


def _init_as_keras(lstm: nn.LSTM) -> None:
    """Initialize as Keras and the article do.

    Input weights are Glorot's, recurrent ones orthogonal, and forget gates are open.
    """
    for name, parameter in lstm.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(parameter)
        elif "weight_hh" in name:
            for gate in parameter.data.chunk(4):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
            if "bias_ih" in name:
                parameter.data[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0
