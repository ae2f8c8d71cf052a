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
        with open(temporary, "r+b") as file:  # Windows syncs only what is open for writing
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
    """Weights and the warm initial state as safetensors bytes.

    Raises ValueError for values that dtype cannot hold: NaN, infinite, or too large for it.
    """
    tensors = {name: value.to(dtype) for name, value in bilm.state_dict().items()}
    tensors |= _named_states(bilm.initial_states("warm"))
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(Errors.EL016.format(name=name, dtype=value.dtype))
    return save({name: value.contiguous().cpu() for name, value in tensors.items()})


def from_bytes(bilm: "BiLM", data: bytes, *, source: str) -> "BiLM":
    """Fill a biLM from `to_bytes`; source names the data in errors.

    Raises ValueError where names, shapes or values are not what the options promise.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as err:
        raise ValueError(Errors.EL004.format(path=source, problem=err)) from err
    weights = {name: tuple(value.shape) for name, value in bilm.state_dict().items()}
    # Files made by others may come without the warm state; it is computed at first use.
    has_states = any(name.startswith("warm.") for name in tensors)
    _check(tensors, {**weights, **(_state_shapes(bilm) if has_states else {})}, source)
    bilm.load_state_dict({name: tensors[name].float() for name in weights})
    bilm._warm_states = _states_from(bilm, tensors) if has_states else None
    return bilm.eval()


def _check(
    tensors: dict[str, torch.Tensor], expected: dict[str, tuple[int, ...]], source: str
) -> None:
    """Raise ValueError unless these are the tensors expected, each of finite floats."""
    for name in sorted({*expected, *tensors}):
        if name not in tensors or name not in expected:
            problem = "missing" if name in expected else "not expected"
            raise ValueError(Errors.EL008.format(path=source, name=name, problem=problem))
        found, dtype = tuple(tensors[name].shape), tensors[name].dtype
        if found != expected[name] or not dtype.is_floating_point:
            message = Errors.EL006.format(
                path=source, name=name, found=found, dtype=dtype, expected=expected[name]
            )
            raise ValueError(message)
        if not torch.isfinite(tensors[name].float()).all():
            raise ValueError(Errors.EL007.format(path=source, name=name))


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


def _state_shapes(bilm: "BiLM") -> dict[str, tuple[int, ...]]:
    lstm = bilm.options.lstm
    return {
        f"warm.{direction}.{depth}.{part}": (1, width)
        for direction in ("forward", "backward")
        for depth in range(lstm.n_layers)
        for part, width in zip(LSTMState._fields, (lstm.projection_dim, lstm.dim), strict=True)
    }


def _states_from(bilm: "BiLM", tensors: dict[str, torch.Tensor]) -> "BiLMStates":
    def layers(direction: str) -> list[LSTMState]:
        return [
            LSTMState(*(tensors[f"warm.{direction}.{i}.{p}"].float() for p in LSTMState._fields))
            for i in range(bilm.options.lstm.n_layers)
        ]

    return layers("forward"), layers("backward")
