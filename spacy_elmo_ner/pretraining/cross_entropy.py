"""Compute the softmax over a large vocabulary and its gradient, without keeping the logits.

Logits of a batch over tens of thousands of words are hundreds of megabytes that a CPU would
write, read and throw away several times. Here rows go through in blocks that stay in the
cache, and each block's gradient is taken at once (as in fused GPU kernels, Hsu et al. 2024).
"""

import ctypes
from typing import Any

import torch
from torch import Tensor

from ..elmo.kernels import available_for_training, call, threads

_LOGITS_PER_BLOCK = 1 << 21


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, dtype: torch.dtype
    ) -> Tensor:
        n_rows = max(1, _LOGITS_PER_BLOCK // len(weight))
        w = weight.detach().to(dtype)
        h = hidden.detach().to(dtype)
        loss = hidden.new_zeros((), dtype=torch.float32)
        grad_hidden = torch.empty_like(hidden, dtype=torch.float32)
        grad_weight = torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, len(h), n_rows):  # no block at all for a cluster without targets
            rows = slice(start, start + n_rows)
            part = h[rows]
            target = targets[rows, None]
            probabilities = torch.softmax((part @ w.T).float(), dim=1)  # (rows, n_classes)
            chosen = probabilities.gather(1, target)
            loss -= chosen.clamp_min(1e-30).log().sum()
            probabilities.scatter_(1, target, chosen - 1)  # now the gradient of the logits
            grad = probabilities.to(dtype)
            grad_hidden[rows] = grad @ w
            grad_weight += grad.T @ part
        ctx.save_for_backward(grad_hidden, grad_weight)
        return loss

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_weight = ctx.saved_tensors
        scale = grad_outputs[0]
        return grad_hidden * scale, grad_weight * scale, None, None


class _Arguments(ctypes.Structure):
    """Mirrors `struct softmax` of softmax.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n", "dim", "n_classes", "n_parts", "threads")),
        *((name, ctypes.c_void_p) for name in ("hidden", "weight", "targets", "packed")),
        *((name, ctypes.c_void_p) for name in ("d_hidden", "d_weight", "loss")),
        ("failed", ctypes.c_int64),
    )


class _CompiledCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, dtype: torch.dtype
    ) -> Tensor:
        (n, dim), n_classes = hidden.shape, len(weight)
        hidden, weight = hidden.detach().float().contiguous(), weight.detach().float().contiguous()
        targets = targets.contiguous()
        n_parts = threads()
        loss = torch.zeros(n_parts, dtype=torch.float64)
        grad_hidden = torch.empty(n, dim, dtype=torch.float32)
        by_part = torch.zeros(n_parts, dim, n_classes + -n_classes % 64, dtype=torch.float32)
        arguments = _Arguments(
            n=n,
            dim=dim,
            n_classes=n_classes,
            n_parts=n_parts,
            threads=n_parts,
            hidden=hidden.data_ptr(),
            weight=weight.data_ptr(),
            targets=targets.data_ptr(),
            d_hidden=grad_hidden.data_ptr(),
            d_weight=by_part.data_ptr(),
            loss=loss.data_ptr(),
        )
        packed = torch.empty(call("softmax_packed_units", arguments), dtype=torch.int32)
        arguments.packed = packed.data_ptr()
        call("softmax_loss", arguments)
        ctx.save_for_backward(grad_hidden, by_part.sum(0)[:, :n_classes])
        return loss.sum().float()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_weight = ctx.saved_tensors
        scale = grad_outputs[0]
        return grad_hidden * scale, (grad_weight * scale).T, None, None


def _fits(hidden: Tensor, dtype: torch.dtype) -> bool:
    return (
        dtype == torch.bfloat16
        and hidden.device.type == "cpu"
        and hidden.shape[1] % 2 == 0
        and available_for_training()
    )


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Sum -log softmax(hidden @ weight.T)[target] up: a float32 scalar with gradients.

    hidden (n, dim), weight (n_classes, dim), targets (n,) int64. Products run in the autocast
    type if there is one; the softmax is always float32.
    """
    autocast = torch.is_autocast_enabled("cpu") and hidden.device.type == "cpu"
    dtype = torch.get_autocast_dtype("cpu") if autocast else hidden.dtype
    with torch.autocast("cpu", enabled=False):
        function = _CompiledCrossEntropy if _fits(hidden, dtype) else _LinearCrossEntropy
        return function.apply(hidden, weight, targets, dtype)
