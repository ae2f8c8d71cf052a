from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from spacy_elmo_ner.elmo.lstm_training import LSTMWeights, packed_lstm
from spacy_elmo_ner.elmo.packing import Packing

PACKING = Packing.of([3, 1, 7, 7, 2])


def _plain(
    x: Tensor,
    batch_sizes: list[int],
    weights: LSTMWeights,
    h: Tensor,
    c: Tensor,
    cell_clip: float,
    proj_clip: float,
) -> Tensor:
    """The same step by step, for torch to differentiate."""
    outputs = []
    for n, step in zip(batch_sizes, x.split(batch_sizes), strict=True):
        gates = step @ weights.input.T + h[:n] @ weights.recurrent.T + weights.bias
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c[:n] + torch.sigmoid(i) * torch.tanh(g)
        c = c.clamp(-cell_clip, cell_clip)
        h = torch.sigmoid(o) * torch.tanh(c)
        assert weights.projection is not None
        h = (h @ weights.projection.T).clamp(-proj_clip, proj_clip)
        outputs.append(h)
    return torch.cat(outputs)


@pytest.mark.usefixtures("cell")
def test_float32_equals_torchs_lstm_in_values_and_gradients() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(6, 5)
    x = torch.randn(20, 6, requires_grad=True)
    direction = torch.randn(20, 5)
    packed = torch.nn.utils.rnn.PackedSequence(
        x[PACKING.forward], torch.tensor(PACKING.batch_sizes)
    )
    expected = lstm(packed)[0].data
    weights = LSTMWeights(lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0 + lstm.bias_hh_l0)
    found, _ = packed_lstm(x[PACKING.forward], PACKING.batch_sizes, weights)
    torch.testing.assert_close(found, expected)
    parameters = [x, *lstm.parameters()]
    wanted = torch.autograd.grad((expected * direction).sum(), parameters)
    got = torch.autograd.grad((found * direction).sum(), parameters)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("bounds", [(9.0, 9.0), (0.3, 9.0), (9.0, 0.2), (0.4, 0.3)], ids=str)
@pytest.mark.parametrize("from_zeros", [True, False])
@pytest.mark.usefixtures("cell")
def test_projection_clips_and_state_equal_automatic_differentiation(
    bounds: tuple[float, float], from_zeros: bool
) -> None:
    torch.manual_seed(1)
    sizes = ((24, 5), (24, 4), (24,), (4, 6))
    weights = LSTMWeights(*(torch.randn(size, requires_grad=True) for size in sizes))
    x = torch.randn(20, 5, requires_grad=True)
    h, c = torch.randn(5, 4), torch.randn(5, 6)
    if from_zeros:
        h, c = torch.zeros_like(h), torch.zeros_like(c)
    direction = torch.randn(20, 4)
    expected = _plain(x, PACKING.batch_sizes, weights, h, c, *bounds)
    found, cells = packed_lstm(
        x,
        PACKING.batch_sizes,
        weights,
        state=None if from_zeros else (h, c),
        cell_clip=bounds[0],
        proj_clip=bounds[1],
    )
    assert not cells.requires_grad and cells.abs().max() <= bounds[0]
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad((expected * direction).sum(), [x, *weights[:4]])
    got = torch.autograd.grad((found * direction).sum(), [x, *weights[:4]])
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


@pytest.mark.usefixtures("cell")
def test_a_gradient_may_lie_in_memory_as_it_likes() -> None:
    torch.manual_seed(0)
    weights = LSTMWeights(*(torch.randn(s, requires_grad=True) for s in ((24, 5), (24, 6), (24,))))
    x, direction = torch.randn(20, 5), torch.randn(6, 20)
    found, _ = packed_lstm(x, PACKING.batch_sizes, weights)
    wanted = torch.autograd.grad(found, weights[:3], direction.T.contiguous(), retain_graph=True)
    got = torch.autograd.grad(found, weights[:3], direction.T)
    torch.testing.assert_close(got, wanted)


@pytest.mark.usefixtures("cell")
def test_a_mask_on_the_recurrence_is_the_same_at_every_step() -> None:
    torch.manual_seed(0)
    x, w_in, w_rec, bias = (torch.randn(*size) for size in ((4, 3), (20, 3), (20, 5), (20,)))
    mask = torch.tensor([[0.0, 2.0, 2.0, 0.0, 2.0]])
    weights = LSTMWeights(w_in, w_rec, bias)
    masked, _ = packed_lstm(x, [1] * 4, weights, recurrent_mask=mask)
    expected, _ = packed_lstm(x, [1] * 4, weights._replace(recurrent=w_rec * mask))
    torch.testing.assert_close(masked, expected)


@pytest.mark.usefixtures("cell")
@pytest.mark.parametrize("projected", [True, False])
def test_bfloat16_gradients_point_the_same_way(projected: bool) -> None:
    torch.manual_seed(2)
    n_out = 5 if projected else 8
    sizes = ((32, 6), (32, n_out), (32,), *([(n_out, 8)] if projected else []))
    parameters = [torch.randn(size, requires_grad=True) for size in sizes]
    x = torch.randn(20, 6)
    gradients = []
    for dtype in (torch.float32, torch.bfloat16):
        # Under autocast, what comes from a layer below is bfloat16, too.
        found, cells = packed_lstm(
            x.to(dtype), PACKING.batch_sizes, LSTMWeights(*parameters), dtype=dtype
        )
        assert found.dtype == cells.dtype == torch.float32
        gradients.append(torch.autograd.grad(found.square().sum(), parameters))
    for exact, rough in zip(*gradients, strict=True):
        assert torch.cosine_similarity(exact.flatten(), rough.flatten(), dim=0) > 0.999


class _Products(TorchDispatchMode):
    """Collects the shapes that matrix products are called with."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[tuple[int, ...], ...]] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            self.shapes.add(tuple(tuple(x.shape) for x in args))
        return func(*args, **(kwargs or {}))


def test_batches_of_other_sizes_bring_no_new_products() -> None:
    # torch keeps what oneDNN builds for each new shape: training grew by megabytes a step.
    sizes = ((24, 5), (24, 4), (24,), (4, 6))
    weights = LSTMWeights(*(torch.randn(size, requires_grad=True) for size in sizes))
    shapes = []
    for lengths in ([30, 25, 20], [30, 25, 11], [29, 24, 19]):
        x = torch.randn(sum(lengths), 5, requires_grad=True)
        with _Products() as products:
            found, _ = packed_lstm(
                x, Packing.of(lengths).batch_sizes, weights, dtype=torch.bfloat16
            )
            found.sum().backward()
        shapes.append(products.shapes)
    assert len(shapes[0]) > 4
    assert shapes[0] == shapes[1] == shapes[2]
