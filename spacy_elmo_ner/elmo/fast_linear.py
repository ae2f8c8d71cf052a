"""A matrix product whose weights are laid out once for the CPU that runs it."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

T = TypeVar("T")

# torch keeps what it compiled for the last 1024 shapes of each oneDNN operation. Batches of text
# hardly ever have the same number of tokens, so that is gigabytes in a long training, and few
# are ever used again. Read by torch at its first such operation.
os.environ.setdefault("LRU_CACHE_CAPACITY", "32")

# oneDNN on weights in its own layout. The operators are private to torch, so a build without
# them is provided for.
_PRODUCT = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
_REORDER = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)


class FastLinear:
    """x (n, n_in) -> x @ weight.T + bias (n, n_out), for weights that do not change; no gradients.

    weight (n_out, n_in), bias (n_out,), both of x's dtype. On a CPU the product runs in oneDNN,
    which is faster than torch's default library on most of them; elsewhere it is `F.linear`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight = weight.detach().contiguous()
        self._bias = None if bias is None else bias.detach()
        self._reordered = False
        if _PRODUCT and _REORDER and weight.device.type == "cpu" and torch.backends.mkldnn.enabled:
            self._weight = _REORDER(self._weight)
            self._reordered = True

    def __call__(self, x: Tensor) -> Tensor:
        if self._reordered and _PRODUCT:
            return _PRODUCT(x, self._weight, self._bias, "none", [], "")
        return F.linear(x, self._weight, self._bias)


class Derived(Generic[T]):
    """What is made from parameters and kept until one of them changes.

    A change is a write in place that torch counts, or another tensor in a parameter's place. Some
    optimizers write uncounted, so who trains the parameters calls `forget`. A copy starts empty.
    """

    def __init__(self) -> None:
        self._key: tuple[Any, ...] | None = None
        self._value: T | None = None

    def get(self, parameters: Sequence[Tensor], make: Callable[[], T]) -> T:
        key = tuple((p.data_ptr(), p._version, p.dtype, p.device) for p in parameters)
        if self._value is None or key != self._key:
            # Dropped first: two sets of large weights would not always fit.
            self._value = None
            self._key, self._value = key, make()
        return self._value

    def forget(self) -> None:
        self._key = self._value = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Derived[T]":
        return Derived()
