"""Save weights that float16 holds exactly as float16, at half the size.

That loses nothing, so it needs no setting: weights straight from training stay float32, and those
that `round_weights` has rounded take half the space. In memory all are float32.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import srsly
import torch
from numpy.typing import NDArray
from thinc.api import Model
from thinc.types import ArrayXd, FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..elmo import storage
from ..errors import Errors
from .torch_shim import TorchShim


def round_weights(model: Model[Any, Any]) -> None:
    """Round a head's weights to values of float16; a biLM, which pipes share, stays as it is.

    Raises ValueError for a value too large for float16.
    """
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                value = xp2torch(cast(ArrayXd, node.get_param(name)))
                node.set_param(name, cast(FloatsXd, torch2xp(_rounded(name, value))))
        for shim in node.shims:
            # Not of a subclass: a biLM is saved by name.
            if type(shim) is TorchShim:
                state = shim.module.state_dict()
                shim.module.load_state_dict({k: _rounded(k, v) for k, v in state.items()})


def narrowed(model: bytes) -> bytes:
    """Shrink the output of `Model.to_bytes` where nothing is lost by it."""

    def narrow(value: NDArray[np.float32]) -> NDArray[Any]:
        return storage.narrowed(torch.from_numpy(value.copy())).numpy()

    return _with_params(model, narrow)


def widened(model: bytes) -> bytes:
    """Undo `narrowed`: return what `Model.from_bytes` expects."""
    return _with_params(model, lambda value: value.astype(np.float32))


def _with_params(model: bytes, change: Callable[[Any], Any]) -> bytes:
    content = srsly.msgpack_loads(model)
    content["params"] = [
        {name: None if value is None else change(value) for name, value in node.items()}
        for node in content["params"]
    ]
    return srsly.msgpack_dumps(content)


def _rounded(name: str, value: Tensor) -> Tensor:
    half = value.half()
    if not torch.isfinite(half).all():
        raise ValueError(Errors.EL016.format(name=name, dtype=half.dtype))
    return half.float()
