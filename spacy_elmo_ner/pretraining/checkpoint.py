"""Save and load everything a run needs to continue as if never interrupted, without pickle.

A checkpoint is a folder: tensors as safetensors, the rest as JSON. It is written under another
name and renamed, so every checkpoint is complete.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..elmo import BiLMOptions
from ..elmo.states import BiLMStates, states_of_tensors, tensors_of_states
from ..errors import Errors, shown
from ..files import atomic_folder, remove_folder

# What is raised for a file that is missing, cut short or overwritten.
_DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    SafetensorError,
)


# What AdamW keeps of a parameter once it has had a gradient.
_ADAMW = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """Record how far a run has come. Seed and epoch alone determine the order of the text.

    step: optimizer steps done. epoch, batch: the next batch to take.
    n_tokens: tokens trained on, marks excluded. seconds: spent so far, restarts included.
    softmax_steps: the first steps, in which the biLM did not learn, or does not yet.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    n_tokens: int = 0
    seconds: float = 0.0
    softmax_steps: int = 0


def save_checkpoint(
    directory: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    config: dict[str, Any],
    keep: int,
    states: BiLMStates | None = None,
) -> None:
    """Write ``directory/step-00000500`` and delete all but the newest `keep` checkpoints.

    states: LSTM states of running text, if the run has any.
    Raises OSError (EL414) if it cannot be written; earlier checkpoints stay as they are.
    """
    final = directory / f"step-{progress.step:08d}"
    try:
        with atomic_folder(final) as temporary:
            save_file(_contiguous(model.state_dict()), temporary / "model.safetensors")
            save_file(_optimizer_tensors(optimizer), temporary / "optimizer.safetensors")
            if states is not None:
                save_file(_contiguous(tensors_of_states(states)), temporary / "states.safetensors")
            state = {"progress": asdict(progress), "config": config}
            (temporary / "state.json").write_text(json.dumps(state, indent=2), encoding="utf8")
    except (OSError, SafetensorError) as err:
        raise OSError(Errors.EL414.format(path=final, problem=err)) from err
    for old in checkpoints(directory)[:-keep]:
        remove_folder(old)


def checkpoints(directory: Path) -> list[Path]:
    """List complete checkpoints, oldest first."""
    return sorted(directory.glob("step-*"))


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, config: dict[str, Any]
) -> Progress:
    """Restore model and optimizer; return how far the run had come.

    Raises ValueError if the checkpoint belongs to another config or is damaged.
    """
    try:
        state = json.loads((path / "state.json").read_text(encoding="utf8"))
        progress, written_by = _progress(state["progress"]), state["config"]
    except (*_DAMAGED, RecursionError) as err:
        raise ValueError(Errors.EL410.format(path=path, problem=err)) from err
    # Tuples become lists in JSON; compare what both look like there.
    if _decisive(written_by) != _decisive(json.loads(json.dumps(config))):
        raise ValueError(Errors.EL406.format(path=path))
    try:
        model.load_state_dict(_load_finite(path / "model.safetensors"))
        states = _optimizer_states(optimizer, _load_finite(path / "optimizer.safetensors"))
    except _DAMAGED as err:
        raise ValueError(Errors.EL410.format(path=path, problem=err)) from err
    optimizer.state.update(states)
    return progress


def _decisive(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a run's past depends on.

    While its learning rate is constant, that excludes where it will end.
    """
    training = config.get("training")
    if not (isinstance(training, dict) and training.get("decay_steps")):
        return config
    later = ("max_steps", "decay_steps", "evaluate_every", "checkpoint_every", "keep_checkpoints")
    kept = {name: value for name, value in training.items() if name not in later}
    return config | {"training": kept}


def load_states(path: Path, options: BiLMOptions) -> BiLMStates:
    """Load the LSTM states of running text: (n_streams, ...) float32 each.

    Raises ValueError if they are missing or damaged.
    """
    try:
        tensors = _load_finite(path / "states.safetensors")
        n_streams = len(next(iter(tensors.values())))
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        if shapes != options.shapes_of_states(n_streams):
            raise ValueError("its states are not those of a biLM of this shape")
        return states_of_tensors(tensors, options)
    except (*_DAMAGED, StopIteration) as err:
        raise ValueError(Errors.EL410.format(path=path, problem=err)) from err


def _progress(values: dict[str, Any]) -> Progress:
    progress = Progress(**values)
    for name, value in asdict(progress).items():
        known = (int, float) if name == "seconds" else (int,)
        if type(value) not in known or not 0 <= value < 1 << 53:
            raise ValueError(f"its {name} is {shown(value)}")
    return progress


def _optimizer_states(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> dict[Tensor, dict[str, Tensor]]:
    """Return the optimizer's state of each parameter. Raises ValueError for any other state."""
    (group,) = optimizer.param_groups
    parameters = group["params"]
    states: list[dict[str, Tensor]] = [{} for _ in parameters]
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        shape = () if name == "step" else parameters[int(number)].shape
        if name not in _ADAMW or value.shape != shape:
            raise ValueError(f"{key!r} is of shape {tuple(value.shape)}")
        # Steps and squares: a negative value would fail, or turn everything to NaN, a step later.
        if name != "exp_avg" and value.min() < 0:
            raise ValueError(f"{key!r} holds {value.min().item()}")
        states[int(number)][name] = value
    for row, state in enumerate(states):
        if len(state) not in (0, len(_ADAMW)):
            raise ValueError(f"the optimizer's parameter {row} has {sorted(state)} only")
    return dict(zip(parameters, states, strict=True))


def _load_finite(path: Path) -> dict[str, Tensor]:
    tensors = load_file(path)
    for name, value in tensors.items():
        if not value.is_floating_point() or not torch.isfinite(value).all():
            raise ValueError(f"{name!r} in {path.name} holds NaN, infinite values or no floats")
    return tensors


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
