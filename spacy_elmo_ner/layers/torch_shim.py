"""Bridge torch modules to Thinc's training and serialization.

Thinc's own `PyTorchShim` pickles, leaves averaged parameters unused and needs its module at
construction; this one keeps safetensors, applies averages, and builds its module when the
dimensions are known.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal, cast, get_args

import srsly
import torch
from safetensors.torch import load, save
from thinc.api import Optimizer
from thinc.shims import Shim
from thinc.types import FloatsXd
from thinc.util import get_torch_default_device, torch2xp, xp2torch
from torch import Tensor, nn

from ..elmo.kernels import multiplies_bfloat16
from ..elmo.locks import Lock
from ..elmo.modes import lasting
from ..elmo.storage import narrowed
from ..errors import Errors

# OpenMP's threads do not survive a fork, and a child that starts a parallel region waits for
# them forever: this is what hangs `nlp.pipe(n_process=2)` with torch models (spaCy #6662).
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


Precision = Literal["exact", "bf16"]


def in_precision(precision: Precision) -> AbstractContextManager[object]:
    """Return a context in which prediction multiplies in bfloat16, unless precision is exact.

    On a CPU that has no products of bfloat16, all precisions are exact: emulated ones are slower,
    and oneDNN refuses them on some. Raises ValueError for another name.
    """
    if precision not in get_args(Precision):
        names = ", ".join(map(repr, get_args(Precision)))
        raise ValueError(Errors.EL107.format(value=precision, names=names))
    enabled = precision == "bf16" and multiplies_bfloat16()
    if not enabled and not torch.is_autocast_enabled("cpu"):
        return contextlib.nullcontext()  # entering autocast takes as long as a small product
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled)


class TorchShim(Shim):
    """Hold a torch module that `make` builds at first use.

    learn_rate_scale: factor on the optimizer's learning rate for this module's parameters.
    """

    def __init__(self, make: Callable[[], nn.Module], *, learn_rate_scale: float = 1.0) -> None:
        super().__init__(None)
        self.make = make
        self.learn_rate_scale = learn_rate_scale
        self._lock = Lock()

    @property
    def module(self) -> nn.Module:
        """Return the module, built at first use."""
        if self._model is None:
            with self._lock:
                if self._model is None:
                    with lasting():
                        self._model = self.make().to(get_torch_default_device())
        return cast(nn.Module, self._model)

    def start_anew(self) -> None:
        """Let go of the module and what it has learned; the next use builds another."""
        self._model = None

    def finish_update(self, optimizer: Optimizer) -> None:
        """Change the parameters by their gradients."""
        # nlp.rehearse() collects gradients with a function that takes no scale.
        scale = {"lr_scale": self.learn_rate_scale} if isinstance(optimizer, Optimizer) else {}
        for name, parameter in self.module.named_parameters():
            if parameter.grad is None:
                continue
            values, _ = optimizer(
                self._key(name),
                cast(FloatsXd, torch2xp(parameter.data)),
                cast(FloatsXd, torch2xp(parameter.grad)),
                **scale,
            )
            _write(parameter, values)
            parameter.grad = None

    @contextlib.contextmanager
    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        """Run with other values of the parameters, such as an optimizer's averages."""
        named = dict(self.module.named_parameters()) if params else {}
        used = {name: p for name, p in named.items() if self._key(name) in params}
        backup = {name: p.detach().clone() for name, p in used.items()}
        try:
            for name, p in used.items():
                _write(p, params[self._key(name)])
            yield
        finally:
            for name, p in used.items():
                _write(p, backup[name])

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module."""
        self.module.to("cpu" if device_type == "cpu" else f"cuda:{device_id}")

    def to_bytes(self) -> bytes:
        """Return the state; values that float16 holds exactly are saved as float16."""
        module = self.module
        with lasting():
            state = {k: narrowed(v.cpu()) for k, v in module.state_dict().items()}
        return srsly.msgpack_dumps({"state": save(state)})

    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Read what `to_bytes` returned. Raises ValueError for parameters of another module."""
        try:
            with lasting():
                self.module.load_state_dict(load(srsly.msgpack_loads(bytes_data)["state"]))
        except RuntimeError as err:
            raise ValueError(Errors.EL101.format(problem=err)) from err
        return self

    def _key(self, name: str) -> tuple[int, str]:
        # Thinc numbers its nodes apart from its shims; the prefix keeps their keys apart too.
        return self.id, f"torch.{name}"


def _write(parameter: nn.Parameter, values: Any) -> None:
    """Write in place, which torch counts: what was derived from the old values is made again."""
    with torch.no_grad():
        parameter.copy_(values if isinstance(values, Tensor) else xp2torch(values))
