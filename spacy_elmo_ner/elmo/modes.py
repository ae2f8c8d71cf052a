"""Keep tensors that outlive a call independent of the modes in which the caller has set torch.

The default dtype is one setting for all threads and cannot be changed for a moment, so every
tensor is created with an explicit dtype instead.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from .openmp import one_thread


@contextmanager
def lasting() -> Iterator[None]:
    """Create tensors that outlive the call: ordinary ones, on the CPU, exact.

    Turns off inference mode, gradients, autocast on CPUs and a default device set by the caller.
    Laying out weights is bound by memory, so one thread does it.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast("cpu", enabled=False),
        on_cpu(),
        one_thread(),
    ):
        yield


@contextmanager
def training() -> Iterator[None]:
    """Run forward or backward with gradients, whatever the caller has turned off."""
    with torch.inference_mode(False), torch.enable_grad(), on_cpu():
        yield


def on_cpu() -> AbstractContextManager[object]:
    """Return a context in which tensors are created on the CPU unless they say otherwise."""
    # Entered only where it changes something: a device context slows down every torch function.
    # Asking a tensor takes a microsecond, torch.get_default_device() ten.
    is_on_cpu = torch.empty(0, dtype=torch.float32).device.type == "cpu"
    return nullcontext() if is_on_cpu else torch.device("cpu")
