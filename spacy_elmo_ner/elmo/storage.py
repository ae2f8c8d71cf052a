"""A biLM in a folder of its own: ``options.json`` and ``weights.safetensors``.

Files are written under a temporary name and renamed, so that an interrupted write leaves what
was there before.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ..errors import Errors
from .lstm import LSTMState
from .options import BiLMOptions

if TYPE_CHECKING:
    from .bilm import BiLM, BiLMStates

OPTIONS_FILE, WEIGHTS_FILE = "options.json", "weights.safetensors"


@contextmanager
def replace_when_written(path: Path) -> Iterator[Path]:
    """Give a temporary name beside path; rename it to path only if the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: str | Path) -> str:
    """sha256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def to_bytes(bilm: "BiLM", dtype: torch.dtype = torch.float32) -> bytes:
    """Weights and the warm initial state as safetensors bytes."""
    tensors = {name: value.to(dtype) for name, value in bilm.state_dict().items()}
    tensors |= _named_states(bilm.initial_states("warm"))
    return save({name: value.contiguous().cpu() for name, value in tensors.items()})


def from_bytes(bilm: "BiLM", data: bytes, *, source: str) -> "BiLM":
    """Fill a biLM from `to_bytes`; source names the data in errors.

    Raises ValueError where names, shapes or values are not what the options promise.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError) as err:
        raise ValueError(Errors.EL004.format(path=source, problem=err)) from err
    expected = bilm.state_dict()
    states = {name: tensors.pop(name) for name in list(tensors) if name.startswith("warm.")}
    for name in sorted({*expected, *tensors}):
        if name not in tensors or name not in expected:
            problem = "missing" if name in expected else "not expected"
            raise ValueError(Errors.EL008.format(path=source, name=name, problem=problem))
        found, wanted = tuple(tensors[name].shape), tuple(expected[name].shape)
        if found != wanted:
            message = Errors.EL006.format(
                path=source, name=name, found=found, dtype=tensors[name].dtype, expected=wanted
            )
            raise ValueError(message)
        if not torch.isfinite(tensors[name]).all():
            raise ValueError(Errors.EL007.format(path=source, name=name))
    bilm.load_state_dict({name: value.float() for name, value in tensors.items()})
    bilm._warm_states = _states_from(bilm, states, source)
    return bilm.eval()


def write_directory(bilm: "BiLM", directory: str | Path, dtype: torch.dtype) -> None:
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with replace_when_written(directory / WEIGHTS_FILE) as path:
        path.write_bytes(to_bytes(bilm, dtype))
    with replace_when_written(directory / OPTIONS_FILE) as path:
        bilm.options.to_json(path)


def read_directory(directory: str | Path) -> "BiLM":
    from .bilm import BiLM

    directory = Path(directory)
    bilm = BiLM(BiLMOptions.from_json(directory / OPTIONS_FILE))
    path = directory / WEIGHTS_FILE
    if not path.is_file():
        raise FileNotFoundError(Errors.EL003.format(path=path, what=WEIGHTS_FILE))
    return from_bytes(bilm, path.read_bytes(), source=str(path))


def _named_states(states: "BiLMStates | None") -> dict[str, torch.Tensor]:
    return {
        f"warm.{direction}.{depth}.{part}": value
        for direction, layers in zip(("forward", "backward"), states or ((), ()), strict=True)
        for depth, state in enumerate(layers)
        for part, value in state._asdict().items()
    }


def _states_from(
    bilm: "BiLM", tensors: dict[str, torch.Tensor], source: str
) -> "BiLMStates | None":
    """The stored warm state, or None (computed at first use) for files that hold none."""
    if not tensors:
        return None
    lstm = bilm.options.lstm
    both = []
    for direction in ("forward", "backward"):
        states = []
        for depth in range(lstm.n_layers):
            names = [f"warm.{direction}.{depth}.{part}" for part in LSTMState._fields]
            for name, width in zip(names, (lstm.projection_dim, lstm.dim), strict=True):
                found = tuple(tensors[name].shape) if name in tensors else ()
                if found != (1, width):
                    message = Errors.EL006.format(
                        path=source, name=name, found=found, dtype="float32", expected=(1, width)
                    )
                    raise ValueError(message)
            states.append(LSTMState(*(tensors[name].float() for name in names)))
        both.append(states)
    return both[0], both[1]
