"""Train one model in several processes, started by torchrun, through torch.distributed.

    torchrun --nproc-per-node 2 -m spacy elmo pretrain CONFIG --output FOLDER

Each process takes every n-th batch, and gradients are averaged (DistributedDataParallel, Li et
al. 2020), so n processes with batches of b tokens learn what one does with n * b.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """Says which of the n processes this one is; only the first writes and reports."""

    rank: int = 0
    n: int = 1

    @property
    def is_first(self) -> bool:
        """Return whether this process writes and reports."""
        return self.rank == 0

    def parallel(self, model: nn.Module) -> nn.Module:
        """Return the model, or one that averages its gradients with the other processes'."""
        return DistributedDataParallel(model) if self.n > 1 else model

    def mean(self, value: Tensor) -> float:
        """Return the mean over all processes of a scalar that each of them has."""
        value = value.detach().clone()
        if self.n > 1:
            dist.all_reduce(value)
        return value.item() / self.n

    def wait(self) -> None:
        """Wait until all processes have come this far."""
        if self.n > 1:
            dist.barrier()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that torchrun started while the block runs; or yield this one alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    # On CPUs, as all pre-training is. The first process cuts and labels the text while the others
    # wait, which takes hours for a large one; one that has died is noticed at once all the same.
    dist.init_process_group("gloo", timeout=timedelta(days=7))
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def is_first_process() -> bool:
    """Tell whether this process reports to the user, also before the processes are joined."""
    return os.environ.get("RANK", "0") == "0"
