"""Read and write a biLM's ``options.json`` and ``weights.safetensors`` in one folder.

A biLM is represented by its options and its named tensors; `BiLM` builds a network from them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ..errors import Errors
from ..files import atomic_file
from .modes import lasting
from .options import BiLMOptions

OPTIONS_FILE, WEIGHTS_FILE = "options.json", "weights.safetensors"
# Weights of a folder, best first; NLPL's archives call them model.hdf5.
WEIGHTS_FILES = (WEIGHTS_FILE, "weights.hdf5", "model.hdf5")

# In front of the names of the warm states among the weights.
WARM = "warm."

# Room for the names and shapes in a weights file.
_MOST_BOOKKEEPING = 1 << 22


class Weights(NamedTuple):
    """Hold the options of a biLM and its tensors, float32 and finite, named as in `BiLM`.

    The warm states are among them as ``warm.forward.0.h`` and so on, or are left out.
    """

    options: BiLMOptions
    tensors: dict[str, Tensor]


def to_bytes(tensors: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> bytes:
    """Return the tensors as safetensors bytes.

    dtype: None to lose nothing, see `narrowed`. Raises ValueError for values that dtype cannot
    hold: NaN, infinite, or too large for it.
    """
    with lasting():
        converted = {
            name: value.detach().to(dtype) if dtype else narrowed(value.detach())
            for name, value in tensors.items()
        }
        for name, value in converted.items():
            if not torch.isfinite(value).all():
                raise ValueError(Errors.EL016.format(name=name, dtype=value.dtype))
        return save({name: value.contiguous().cpu() for name, value in converted.items()})


def narrowed(value: Tensor) -> Tensor:
    """Return the values as float16 if that holds each of them exactly, else unchanged."""
    half = value.half()
    return (half if torch.equal(half.float(), value) else value).contiguous()


def from_bytes(options: BiLMOptions, data: bytes, *, source: str) -> Weights:
    """Read what `to_bytes` returned; source names the data in errors.

    Raises ValueError where names, shapes or values are not what the options promise.
    """
    check_size(options, len(data), source, most_bytes(options))
    try:
        with lasting():
            tensors = load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as err:
        raise ValueError(Errors.EL004.format(path=source, problem=err)) from err
    expected: dict[str, tuple[int, ...]] = dict(options.shapes)
    # Files made by others may come without the warm states; they are computed at first use.
    if any(name.startswith(WARM) for name in tensors):
        states = options.shapes_of_states(1)
        expected |= {f"{WARM}{name}": shape for name, shape in states.items()}
    _check(tensors, expected, source)
    with lasting():
        # Copied: the tensors are views of memory that need not be aligned.
        copied = {name: value.to(torch.float32, copy=True) for name, value in tensors.items()}
        return Weights(options, copied)


def check_size(options: BiLMOptions, n_bytes: int, source: str | Path, most: int = 0) -> None:
    """Raise ValueError unless n_bytes can be weights of this shape; most: 0 for no upper bound.

    Call it before allocating memory: a few bytes may promise a billion values.
    """
    cnn, lstm = options.char_cnn, options.lstm
    least = 2 * options.n_params  # float16, the smallest type we read
    if cnn.n_filters == lstm.projection_dim:
        # bilm-tf leaves the projection out where it would change nothing.
        least -= 2 * (cnn.n_filters + 1) * lstm.projection_dim
    if n_bytes < least or 0 < most < n_bytes:
        bounds = f"at least {least:,}" + (f" and at most {most:,}" if most else "")
        problem = f"it has {n_bytes:,} bytes, but its options.json asks for {bounds}"
        raise ValueError(Errors.EL004.format(path=source, problem=problem))


def most_bytes(options: BiLMOptions) -> int:
    """Return an upper bound for `to_bytes`: eight bytes per value, plus names and shapes."""
    lstm = options.lstm
    n_states = 2 * lstm.n_layers * (lstm.projection_dim + lstm.dim)
    n_padding = options.char_cnn.embedding_dim  # a row that official files do not have
    return 8 * (options.n_params + n_padding + n_states) + _MOST_BOOKKEEPING


def _check(tensors: dict[str, Tensor], expected: dict[str, tuple[int, ...]], source: str) -> None:
    """Raise ValueError unless these are the tensors expected, each of finite floats."""
    for name in sorted({*expected, *tensors}):
        if name not in tensors or name not in expected:
            problem = "missing" if name in expected else "not expected"
            raise ValueError(Errors.EL008.format(path=source, name=name, problem=problem))
        shape, dtype = tuple(tensors[name].shape), tensors[name].dtype
        if shape != expected[name] or not dtype.is_floating_point:
            message = Errors.EL006.format(
                path=source, name=name, found=shape, dtype=dtype, expected=expected[name]
            )
            raise ValueError(message)
        if not torch.isfinite(tensors[name].float()).all():
            raise ValueError(Errors.EL007.format(path=source, name=name))


def write_directory(
    weights: Weights, directory: str | Path, dtype: torch.dtype | None = None
) -> None:
    """Write ``options.json`` and ``weights.safetensors``; raises what `weights_in` does.

    dtype: as in `to_bytes`.
    """
    data = to_bytes(weights.tensors, dtype)
    with weights_in(directory, WEIGHTS_FILE, weights.options) as path:
        path.write_bytes(data)


@contextmanager
def weights_in(directory: str | Path, name: str, options: BiLMOptions) -> Iterator[Path]:
    """Yield where to write a weights file so that its folder holds one whole biLM at all times.

    The biLM is replaced at the moment the new weights get their name. options.json is written
    before that, and only if there is none or an equal one. Raises FileExistsError in a folder
    whose biLM has other options.
    """
    directory = Path(os.path.expanduser(directory))
    directory.mkdir(parents=True, exist_ok=True)
    present = _options_in(directory)
    if present not in (None, options) and weights_file(directory) is not None:
        raise FileExistsError(Errors.EL018.format(path=directory))
    with atomic_file(directory / name) as path:
        yield path
        if present != options:
            with atomic_file(directory / OPTIONS_FILE) as options_path:
                options.to_json(options_path)


def weights_file(folder: Path) -> Path | None:
    """Return the weights file of a folder, or None."""
    files = (folder / name for name in WEIGHTS_FILES)
    return next((file for file in files if file.is_file()), None)


def _options_in(directory: Path) -> BiLMOptions | None:
    """Return the options of the biLM in a folder; None if they are missing or unreadable."""
    try:
        return BiLMOptions.from_json(directory / OPTIONS_FILE)
    except (FileNotFoundError, ValueError):
        return None


def read_directory(directory: str | Path) -> Weights:
    """Read what `write_directory` wrote. Raises what `read_files` does."""
    directory = Path(os.path.expanduser(directory))
    return read_files(directory / OPTIONS_FILE, directory / WEIGHTS_FILE)


def read_files(options_path: Path, path: Path) -> Weights:
    """Read an options file and a safetensors file, wherever they are.

    Raises FileNotFoundError or ValueError, naming the file.
    """
    options = BiLMOptions.from_json(options_path)
    if not path.is_file():
        raise FileNotFoundError(Errors.EL003.format(path=path, what=WEIGHTS_FILE))
    check_size(options, path.stat().st_size, path, most_bytes(options))
    return from_bytes(options, path.read_bytes(), source=str(path))
