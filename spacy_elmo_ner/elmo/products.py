"""Multiply matrices by weights that are laid out once for the CPU at hand."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# oneDNN on weights in its own layout. The operators are private to torch, so a build without
# them is provided for.
_PRODUCT = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
_REORDER = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)


def padded(n: int) -> int:
    """Return how many rows a product of n rows gets: n up to 16, then 8 sizes per power of two.

    oneDNN compiles a program of half a megabyte for each number of rows and keeps it. For every
    number that occurs in a stream of texts, that would be gigabytes.
    """
    step = 1 if n <= 16 else max(8, 1 << ((n - 1).bit_length() - 4))
    return -(-n // step) * step


class FastLinear:
    """Compute x (n, n_in) @ weight.T + bias -> (n, n_out), for constant weights, no gradients.

    weight (n_out, n_in), bias (n_out,), both of x's dtype. On a CPU the product runs in oneDNN,
    which is faster than torch's default library on most of them; elsewhere it is `F.linear`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight = weight.detach().contiguous()
        self._bias = None if bias is None else bias.detach()
        self._reordered = False
        if _PRODUCT and _REORDER and weight.device.type == "cpu" and _has_onednn(weight.dtype):
            self._weight = _REORDER(self._weight)
            self._reordered = True

    def __call__(self, x: Tensor) -> Tensor:
        if not (self._reordered and _PRODUCT):
            return F.linear(x, self._weight, self._bias)
        n = x.shape[0]
        if extra := padded(n) - n:
            x = F.pad(x, (0, 0, 0, extra))
        product = _PRODUCT(x, self._weight, self._bias, "none", [], "")
        return product[:n] if extra else product


def _has_onednn(dtype: torch.dtype) -> bool:
    """Return whether oneDNN is switched on and multiplies this dtype on this CPU."""
    if not torch.backends.mkldnn.enabled:
        return False
    return dtype != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def own_parameters(module: nn.Module) -> list[Tensor]:
    """Return all parameters of a module.

    `Module.parameters` also makes their names, which takes longer than a sentence's product.
    """
    parameters: list[Tensor] = [p for p in module._parameters.values() if p is not None]
    for child in module._modules.values():
        if child is not None:
            parameters += own_parameters(child)
    return parameters


def product_dtype(inputs: Tensor) -> torch.dtype:
    """Return autocast's dtype, which torch applies to its own layers only, or the inputs'."""
    if not torch._C._is_any_autocast_enabled():
        return inputs.dtype
    kind = inputs.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else inputs.dtype
