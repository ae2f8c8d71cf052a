"""Allocate memory for large results."""

import numpy as np
import torch
from torch import Tensor


def empty(*shape: int, device: torch.device) -> Tensor:
    """Return a float32 tensor without values.

    On a CPU in numpy's memory: numpy asks Linux for huge pages where an array is large, and torch
    does not. What malloc gets fresh from the system comes several times as fast in those, and
    arrays of long Docs always come fresh.
    """
    if device.type != "cpu":
        return torch.empty(*shape, dtype=torch.float32, device=device)
    return torch.from_numpy(np.empty(shape, dtype=np.float32))
