"""Two bidirectional LSTMs whose outputs are added: the head's encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, cast

import torch
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..elmo.caches import Derived
from ..elmo.fast_lstm import FastLSTM
from ..elmo.memory import empty
from ..elmo.modes import on_cpu, training
from ..elmo.packed_lstm import LSTMWeights, packed_lstm
from ..elmo.packing import Packing, inverse, token_batches
from ..elmo.products import product_dtype
from .torch_shim import Precision, TorchShim, in_precision
from .types import EncoderModel
from .windows import Window, windows


@dataclass(frozen=True)
class Encoding:
    """How prediction runs. An object of ours, so that it is not saved with the weights and the
    config can change it after training."""

    precision: Precision


def build_residual_bilstm_v1(
    units: int = 512,
    dropout: float = 0.2,
    recurrent_dropout: float = 0.2,
    precision: Precision = "exact",
) -> EncoderModel:
    """Vectors of each Doc -> (n_tokens, 2 * units) float32: x1 + x2 of two stacked BiLSTMs.

    units: cells of one direction. dropout: share of inputs of each BiLSTM that a training step
    drops, the same ones at every token of a Doc; recurrent_dropout: share of recurrent inputs,
    the same at every step (Gal and Ghahramani 2016). [training] dropout does not change them.
    precision: "bf16" predicts with matrix products in bfloat16, as training does always.
    """
    in_precision(precision)
    model: EncoderModel = Model(
        "residual_bilstm",
        forward,
        init=init,
        dims={"nI": None, "nO": 2 * units},
        attrs={"encoding": Encoding(precision)},
    )
    model.shims.append(TorchShim(_Make(model, units, dropout, recurrent_dropout)))
    return model


@dataclass(frozen=True)
class _Make:
    """Makes the module once nI is known. A function could not go to a spawned process."""

    model: EncoderModel
    units: int
    dropout: float
    recurrent_dropout: float

    def __call__(self) -> "ResidualBiLSTM":
        nI = self.model.get_dim("nI")
        return ResidualBiLSTM(nI, self.units, self.dropout, self.recurrent_dropout)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Make":
        return self  # as of a function; the model has a way of its own to be copied


def forward(
    model: EncoderModel, docs: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Any]:
    lengths = [len(doc) for doc in docs]
    offsets = [0, *accumulate(lengths)]
    found = [w for n, offset in zip(lengths, offsets, strict=False) for w in windows(n, offset)]
    if not found:
        nO = model.get_dim("nO")
        return [model.ops.alloc2f(0, nO) for _ in docs], lambda d: [doc * 0 for doc in docs]
    module = cast(ResidualBiLSTM, _shim(model).module)
    # A long Doc is not copied where it is the only one.
    flat = docs[0] if len(docs) == 1 else model.ops.xp.concatenate(docs)
    if is_train:
        module.train()
        with training():
            inputs = xp2torch(flat, requires_grad=True)
            outputs = _encode_for_training(module, inputs, found)
    else:
        module.eval()
        with torch.no_grad(), on_cpu(), in_precision(model.attrs["encoding"].precision):
            inputs = xp2torch(flat)
            outputs = _encode(module, inputs, found)

    def backprop(d_outputs: Sequence[Floats2d]) -> list[Floats2d]:
        with training():
            outputs.backward(xp2torch(model.ops.xp.concatenate(d_outputs)))
        return _split(model, torch2xp(cast(Tensor, inputs.grad)), lengths)

    return _split(model, torch2xp(outputs.detach()), lengths), backprop


def _encode_for_training(
    module: "ResidualBiLSTM", inputs: Tensor, found: Sequence[Window]
) -> Tensor:
    """One batch for all windows, which is as small as [training.batcher] makes it."""
    rows = torch.cat([torch.arange(w.start, w.end) for w in found]).to(inputs.device)
    kept = torch.cat([torch.arange(w.first, w.last) - w.start + n for w, n in _placed(found)])
    encoded = module(inputs[rows], Packing.of([w.end - w.start for w in found]))
    return encoded[kept.to(inputs.device)]


def _encode(module: "ResidualBiLSTM", inputs: Tensor, found: Sequence[Window]) -> Tensor:
    """In batches, whose memory is used again."""
    width = 2 * module.lower.hidden_size
    sizes = [w.end - w.start for w in found]
    batches = list(token_batches(sizes))
    most = max(sum(sizes[i] for i in batch) for batch in batches)
    x1 = empty(most, width, device=inputs.device)
    # What windows do not keep goes to the row behind the last.
    outputs = empty(len(inputs) + 1, width, device=inputs.device)
    for indices in batches:
        batch = [found[i] for i in indices]
        rows = torch.cat([torch.arange(w.start, w.end) for w in batch])
        kept = torch.cat([_kept_rows(w, len(inputs)) for w in batch])
        packing = Packing.of([sizes[i] for i in indices])
        module.predict("lower", inputs, x1, packing, reads=rows)
        module.predict("upper", x1, outputs, packing, writes=kept)
        for w, n in _placed(batch):
            outputs[w.first : w.last] += x1[n + w.kept.start : n + w.kept.stop]
    return outputs[:-1]


def _kept_rows(w: Window, elsewhere: int) -> Tensor:
    """(n_tokens of the window,) int64: each token it keeps, and elsewhere for the others."""
    rows = torch.full((w.end - w.start,), elsewhere)
    rows[w.kept] = torch.arange(w.first, w.last)
    return rows


def _placed(batch: Sequence[Window]) -> Iterator[tuple[Window, int]]:
    """Each window, and the token it begins with where their tokens stand window after window."""
    sizes = accumulate((w.end - w.start for w in batch), initial=0)
    return zip(batch, sizes, strict=False)


def init(model: EncoderModel, X: Sequence[Floats2d] | None = None, Y: Any = None) -> None:
    if X is not None:
        model.set_dim("nI", X[0].shape[1])


def _shim(model: EncoderModel) -> TorchShim:
    (shim,) = model.shims
    return cast(TorchShim, shim)


def _split(model: EncoderModel, x: Any, lengths: Sequence[int]) -> list[Floats2d]:
    ends = model.ops.xp.cumsum(model.ops.xp.asarray(lengths))
    return model.ops.xp.split(x, ends[:-1].tolist())


_DIRECTIONS = ("l0", "l0_reverse")  # torch's names of the forward and the backward half


class ResidualBiLSTM(nn.Module):
    """x1 = BiLSTM(x), x2 = BiLSTM(x1), out = x1 + x2, over tokens in packed order."""

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
        """For training: inputs (n_flat, n_in), Doc after Doc -> (n_flat, 2 * units)."""
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
        each that the packing's tokens stand in, in their order if None.
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
            list(lstm.parameters()),
            lambda: [FastLSTM(_weights(lstm, s), dtype=dtype) for s in _DIRECTIONS],
            dtype,
        )
        # Tokens are read and written where they stand: arrays of a large batch come as fresh
        # memory, which costs more than what is done with it.
        positions = (packing.forward, packing.backward)
        for half, run, position in zip(outputs.chunk(2, dim=1), fast, positions, strict=True):
            run(
                inputs,
                packing.batch_sizes,
                reads=_at(reads, position),
                outputs=half,
                writes=_at(writes, position),
            )

    def _run_training(self, lstm: nn.LSTM, x: Tensor, packing: Packing) -> Tensor:
        """The same with dropout; products in bfloat16, which are four times as fast on CPUs
        that have them and cost no accuracy here."""
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
                dtype=torch.bfloat16,
            )
            halves.append(output[inverse(positions)])
        return torch.cat(halves, dim=1)


def _at(rows: Tensor | None, position: Tensor) -> Tensor:
    """The rows of tokens that stand in these positions."""
    return position if rows is None else rows.to(position.device)[position]


def _weights(lstm: nn.LSTM, suffix: str) -> LSTMWeights:
    return LSTMWeights(
        getattr(lstm, f"weight_ih_{suffix}"),
        getattr(lstm, f"weight_hh_{suffix}"),
        getattr(lstm, f"bias_ih_{suffix}") + getattr(lstm, f"bias_hh_{suffix}"),
    )


def _mask(like: Tensor, n_docs: int, width: int, rate: float) -> Tensor | None:
    """Dropout factors (n_docs, width): 0 at the given rate, else 1 / (1 - rate)."""
    if not rate:
        return None
    return like.new_empty(n_docs, width).bernoulli_(1 - rate).div_(1 - rate)


def _init_as_keras(lstm: nn.LSTM) -> None:
    """Glorot inputs, orthogonal recurrences, forget gates open: Keras' start, the article's."""
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
