"""A biLM in a folder of its own: ``options.json`` and ``weights.safetensors``.

Files are written under a temporary name and renamed, so that an interrupted write leaves what
was there before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ..errors import Errors
from ..files import atomic_file as replace_when_written
from ..files import sha256_of as sha256_of
from ..files import sync as sync
from .lstm import LSTMState
from .modes import lasting
from .options import BiLMOptions

if TYPE_CHECKING:
    from .bilm import BiLM, BiLMStates

OPTIONS_FILE, WEIGHTS_FILE = "options.json", "weights.safetensors"
# Weights of a folder, best first; NLPL's archives call them model.hdf5.
WEIGHTS_FILES = (WEIGHTS_FILE, "weights.hdf5", "model.hdf5")

# Room for the names and shapes in a weights file.
_MOST_BOOKKEEPING = 1 << 22


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


def check_size(options: BiLMOptions, n_bytes: int, source: str | Path, most: int = 0) -> None:
    """Raise ValueError unless n_bytes can be weights of this shape; most: 0 for no upper bound.

    To be asked before memory is taken for them: a few bytes may promise a billion values.
    """
    cnn, lstm = options.char_cnn, options.lstm
    least = 2 * options.n_params  # float16, the smallest type we read
    if cnn.n_filters == lstm.projection_dim:
        # bilm-tf leaves the projection out where it would change nothing.
        least -= 2 * (cnn.n_filters + 1) * lstm.projection_dim
    if n_bytes < least or 0 < most < n_bytes:
        wanted = f"at least {least:,}" + (f" and at most {most:,}" if most else "")
        problem = f"it has {n_bytes:,} bytes, but its options.json asks for {wanted}"
        raise ValueError(Errors.EL004.format(path=source, problem=problem))


def most_bytes(options: BiLMOptions) -> int:
    """What `to_bytes` could write with eight bytes a value, and room for names and shapes."""
    lstm = options.lstm
    n_states = 2 * lstm.n_layers * (lstm.projection_dim + lstm.dim)
    n_padding = options.char_cnn.embedding_dim  # a row that official files do not have
    return 8 * (options.n_params + n_padding + n_states) + _MOST_BOOKKEEPING


def from_bytes(options: BiLMOptions, data: bytes, *, source: str) -> "BiLM":
    """A biLM from `to_bytes`; source names the data in errors.

    Raises ValueError where names, shapes or values are not what the options promise.
    """
    from .bilm import BiLM

    check_size(options, len(data), source, most_bytes(options))
    try:
        with lasting():
            tensors = load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as err:
        raise ValueError(Errors.EL004.format(path=source, problem=err)) from err
    bilm = BiLM.to_fill(options)
    weights = {name: tuple(value.shape) for name, value in bilm.state_dict().items()}
    # Files made by others may come without the warm state; it is computed at first use.
    has_states = any(name.startswith("warm.") for name in tensors)
    _check(tensors, {**weights, **(_state_shapes(bilm) if has_states else {})}, source)
    with lasting():
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
    with weights_in(Path(directory), WEIGHTS_FILE, bilm.options) as path:
        path.write_bytes(to_bytes(bilm, dtype))


@contextmanager
def weights_in(directory: Path, name: str, options: BiLMOptions) -> Iterator[Path]:
    """Where to write the weights file of this name, so that its folder holds one biLM throughout.

    A biLM is replaced the moment the new weights take their name: options.json stands before, and
    replaces none but its equal. Raises FileExistsError in a folder whose biLM has other options.
    """
    directory = Path(os.path.expanduser(directory))
    directory.mkdir(parents=True, exist_ok=True)
    found = _options_in(directory)
    if found not in (None, options) and weights_file(directory) is not None:
        raise FileExistsError(Errors.EL018.format(path=directory))
    with replace_when_written(directory / name) as path:
        yield path
        if found != options:
            with replace_when_written(directory / OPTIONS_FILE) as options_path:
                options.to_json(options_path)


def weights_file(folder: Path) -> Path | None:
    """The weights file of a folder, or None."""
    files = (folder / name for name in WEIGHTS_FILES)
    return next((file for file in files if file.is_file()), None)


def _options_in(directory: Path) -> BiLMOptions | None:
    """The shape that a folder's biLM has; None where nothing says it."""
    try:
        return BiLMOptions.from_json(directory / OPTIONS_FILE)
    except (FileNotFoundError, ValueError):
        return None


def read_directory(directory: str | Path) -> "BiLM":
    directory = Path(os.path.expanduser(directory))
    return read_files(directory / OPTIONS_FILE, directory / WEIGHTS_FILE)


def read_files(options_path: Path, path: Path) -> "BiLM":
    """A biLM from its options.json and its safetensors file, wherever they lie.

    Raises FileNotFoundError or ValueError, naming the file.
    """
    options = BiLMOptions.from_json(options_path)
    if not path.is_file():
        raise FileNotFoundError(Errors.EL003.format(path=path, what=WEIGHTS_FILE))
    check_size(options, path.stat().st_size, path, most_bytes(options))
    return from_bytes(options, path.read_bytes(), source=str(path))


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
