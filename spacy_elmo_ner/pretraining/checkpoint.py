"""Everything a run needs to go on as if it had never stopped, without pickle.

A checkpoint is a folder: tensors as safetensors, the rest as JSON. It is written under another
name and renamed, so the newest complete one is always whole.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import Errors

# How a file that is missing, cut short or overwritten shows itself.
_DAMAGED = (
    OSError,
    KeyError,
    TypeError,
    RuntimeError,
    SafetensorError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)


@dataclass
class Progress:
    """Where a run stands. The order of the text follows from seed and epoch alone.

    step: optimizer steps done. epoch, batch: the next batch to take.
    n_tokens: tokens trained on, marks excluded. seconds: spent so far, restarts included.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    n_tokens: int = 0
    seconds: float = 0.0


def save_checkpoint(
    directory: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    config: dict[str, Any],
    keep: int,
) -> None:
    """Write ``directory/step-00000500`` and delete all but the newest `keep` checkpoints."""
    final = directory / f"step-{progress.step:08d}"
    temporary = directory / f".{final.name}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        save_file(_contiguous(model.state_dict()), temporary / "model.safetensors")
        save_file(_optimizer_tensors(optimizer), temporary / "optimizer.safetensors")
        state = {"progress": asdict(progress), "config": config}
        (temporary / "state.json").write_text(json.dumps(state, indent=2), encoding="utf8")
        if final.exists():
            shutil.rmtree(final)
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in checkpoints(directory)[:-keep]:
        shutil.rmtree(old)


def checkpoints(directory: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(directory.glob("step-*"))


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, config: dict[str, Any]
) -> Progress:
    """Put model and optimizer where they were; returns where the run stood.

    Raises ValueError if the checkpoint belongs to another config or is damaged.
    """
    try:
        return _load(path, model, optimizer, config)
    except _DAMAGED as err:
        raise ValueError(Errors.EL410.format(path=path, problem=err)) from err


def _load(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, config: dict[str, Any]
) -> Progress:
    state = json.loads((path / "state.json").read_text(encoding="utf8"))
    # Tuples become lists in JSON; compare what both look like there.
    if state["config"] != json.loads(json.dumps(config)):
        raise ValueError(Errors.EL406.format(path=path))
    model.load_state_dict(load_file(path / "model.safetensors"))
    tensors = load_file(path / "optimizer.safetensors")
    parameters = optimizer.param_groups[0]["params"]
    for i, parameter in enumerate(parameters):
        optimizer.state[parameter] = {
            name.partition(".")[2]: value
            for name, value in tensors.items()
            if name.partition(".")[0] == str(i)
        }
    return Progress(**state["progress"])


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    (group,) = optimizer.param_groups
    return _contiguous(
        {
            f"{i}.{name}": value
            for i, parameter in enumerate(group["params"])
            for name, value in optimizer.state[parameter].items()
        }
    )


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().contiguous() for name, value in tensors.items()}
