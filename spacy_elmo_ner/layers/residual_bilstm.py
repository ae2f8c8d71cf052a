"""Build the head's encoder: two bidirectional LSTMs whose outputs are added."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import torch
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..elmo.memory import empty
from ..elmo.modes import on_cpu, training
from ..elmo.packing import Packing, token_batches
from .bilstm import ResidualBiLSTM
from .torch_shim import Precision, TorchShim, in_precision
from .types import EncoderModel
from .windows import Window, windows


@dataclass(frozen=True)
class Encoding:
    """Says how prediction runs.

    Thinc does not save objects of this type with the weights, so the config can change it after
    training.
    """

    precision: Precision


def build_residual_bilstm_v1(
    units: int = 512,
    dropout: float = 0.2,
    recurrent_dropout: float = 0.2,
    precision: Precision = "exact",
) -> EncoderModel:
    """Build vectors of each Doc -> (n_tokens, 2 * units) float32: two stacked BiLSTMs, added up.

    units: cells per direction.
    dropout: share of each BiLSTM's inputs dropped in training, the same inputs at every token of a
        Doc (Gal and Ghahramani 2016). [training] dropout does not change it.
    recurrent_dropout: share of recurrent inputs dropped in training, the same at every step.
    precision: "bf16" predicts with matrix products in bfloat16 on CPUs that have them; there
        training always does.
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
    """Builds the module once nI is known. A nested function cannot be pickled for a process."""

    model: EncoderModel
    units: int
    dropout: float
    recurrent_dropout: float

    def __call__(self) -> ResidualBiLSTM:
        nI = self.model.get_dim("nI")
        return ResidualBiLSTM(nI, self.units, self.dropout, self.recurrent_dropout)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Make":
        return self  # like a function; a copied shim brings its module


def forward(
    model: EncoderModel, docs: Sequence[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Any]:
    lengths = [len(doc) for doc in docs]
    offsets = [0, *accumulate(lengths)]
    cut = [w for n, offset in zip(lengths, offsets, strict=False) for w in windows(n, offset)]
    if not cut:
        nO = model.get_dim("nO")
        return [model.ops.alloc2f(0, nO) for _ in docs], lambda d: [doc * 0 for doc in docs]
    module = cast(ResidualBiLSTM, _shim(model).module)
    # A long Doc is not copied where it is the only one.
    flat = docs[0] if len(docs) == 1 else model.ops.xp.concatenate(docs)
    if is_train:
        with training():
            inputs = xp2torch(flat, requires_grad=True)
            outputs = _encode_for_training(module, inputs, cut)
    else:
        with torch.no_grad(), on_cpu(), in_precision(model.attrs["encoding"].precision):
            inputs = xp2torch(flat)
            outputs = _encode(module, inputs, cut)

    def backprop(d_outputs: Sequence[Floats2d]) -> list[Floats2d]:
        with training():
            outputs.backward(xp2torch(model.ops.xp.concatenate(d_outputs)))
        return _split(model, torch2xp(cast(Tensor, inputs.grad)), lengths)

    return _split(model, torch2xp(outputs.detach()), lengths), backprop


def _encode_for_training(module: ResidualBiLSTM, inputs: Tensor, cut: Sequence[Window]) -> Tensor:
    """Encode all windows as one batch, whose size [training.batcher] limits."""
    rows = torch.cat([torch.arange(w.start, w.end) for w in cut]).to(inputs.device)
    kept = torch.cat([torch.arange(w.first, w.last) - w.start + n for w, n in _placed(cut)])
    encoded = module(inputs[rows], Packing.of([w.end - w.start for w in cut]))
    return encoded[kept.to(inputs.device)]


def _encode(module: ResidualBiLSTM, inputs: Tensor, cut: Sequence[Window]) -> Tensor:
    """Encode in batches that reuse their memory."""
    width = 2 * module.lower.hidden_size
    sizes = [w.end - w.start for w in cut]
    batches = list(token_batches(sizes))
    if len(batches) == 1 and sum(sizes) == len(inputs):
        # No Doc is longer than a window: tokens are read and written in their order.
        x1, x2 = (empty(len(inputs), width, device=inputs.device) for _ in range(2))
        packing = Packing.of(sizes)
        module.predict("lower", inputs, x1, packing)
        module.predict("upper", x1, x2, packing)
        return x2.add_(x1)
    most = max(sum(sizes[i] for i in batch) for batch in batches)
    x1 = empty(most, width, device=inputs.device)
    # Tokens that a window does not keep are written to the extra row at the end.
    outputs = empty(len(inputs) + 1, width, device=inputs.device)
    for indices in batches:
        batch = [cut[i] for i in indices]
        rows = torch.cat([torch.arange(w.start, w.end) for w in batch])
        kept = torch.cat([_kept_rows(w, len(inputs)) for w in batch])
        packing = Packing.of([sizes[i] for i in indices])
        module.predict("lower", inputs, x1, packing, reads=rows)
        module.predict("upper", x1, outputs, packing, writes=kept)
        for w, n in _placed(batch):
            outputs[w.first : w.last] += x1[n + w.kept.start : n + w.kept.stop]
    return outputs[:-1]


def _kept_rows(w: Window, elsewhere: int) -> Tensor:
    """Return each token the window keeps, and elsewhere for the others: (n_tokens,) int64."""
    rows = torch.full((w.end - w.start,), elsewhere)
    rows[w.kept] = torch.arange(w.first, w.last)
    return rows


def _placed(batch: Sequence[Window]) -> Iterator[tuple[Window, int]]:
    """Pair each window with the offset of its first token when all windows are concatenated."""
    sizes = accumulate((w.end - w.start for w in batch), initial=0)
    return zip(batch, sizes, strict=False)


def init(model: EncoderModel, X: Sequence[Floats2d] | None = None, Y: Any = None) -> None:
    if X is not None:
        model.set_dim("nI", X[0].shape[1])
        _shim(model).start_anew()


def _shim(model: EncoderModel) -> TorchShim:
    (shim,) = model.shims
    return cast(TorchShim, shim)


def _split(model: EncoderModel, x: Any, lengths: Sequence[int]) -> list[Floats2d]:
    ends = model.ops.xp.cumsum(model.ops.xp.asarray(lengths))
    return model.ops.xp.split(x, ends[:-1].tolist())
