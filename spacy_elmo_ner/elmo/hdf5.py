"""Read and write official ELMo weights: HDF5, as bilm-tf writes and AllenNLP reads it.

One table maps every dataset to a parameter and the transform between their layouts.
"""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import Errors
from .hdf5_heaps import check_heaps
from .modes import lasting
from .options import N_CHARACTERS, BiLMOptions
from .storage import Weights, check_size, weights_in

Array = NDArray[np.float32]

# Values a chunk may hold beyond those of its dataset.
_MOST_PADDING = 1 << 16


class Dataset(NamedTuple):
    """Map a dataset of the official file to a parameter, with the transforms both ways."""

    name: str
    parameter: str
    to_torch: Callable[[Array], Array]
    to_hdf5: Callable[[Array], Array]


class _Misfit(ValueError):
    """Report a readable file that is not what the options promise."""


def _same(x: Array) -> Array:
    return x


def _transpose(x: Array) -> Array:
    return x.T


def _rows_after_padding(x: Array) -> Array:
    # Row 0 of ours means "no character". A file of 262 rows has one that no word reaches.
    return np.concatenate([np.zeros_like(x[:1]), x[:N_CHARACTERS]])


def _rows_without_padding(x: Array) -> Array:
    return x[1:]


def _to_conv1d(x: Array) -> Array:
    return x[0].transpose(2, 1, 0)  # (1, width, char_dim, n) -> (n, char_dim, width)


def _from_conv1d(x: Array) -> Array:
    return x.transpose(2, 1, 0)[None]


def datasets(options: BiLMOptions) -> Iterator[Dataset]:
    """Yield each dataset that the official file of a biLM of this shape has."""
    yield Dataset(
        "char_embed", "char_cnn.embedding.weight", _rows_after_padding, _rows_without_padding
    )
    for i in range(len(options.char_cnn.filters)):
        own = f"char_cnn.convolutions.{i}"
        yield Dataset(f"CNN/W_cnn_{i}", f"{own}.weight", _to_conv1d, _from_conv1d)
        yield Dataset(f"CNN/b_cnn_{i}", f"{own}.bias", _same, _same)
    for i in range(options.char_cnn.n_highway):
        for gate in ("transform", "carry"):
            own = f"char_cnn.highways.{i}.{gate}"
            yield Dataset(f"CNN_high_{i}/W_{gate}", f"{own}.weight", _transpose, _transpose)
            yield Dataset(f"CNN_high_{i}/b_{gate}", f"{own}.bias", _same, _same)
    yield Dataset("CNN_proj/W_proj", "char_cnn.projection.weight", _transpose, _transpose)
    yield Dataset("CNN_proj/b_proj", "char_cnn.projection.bias", _same, _same)
    for number, direction in enumerate(("forward_lstm", "backward_lstm")):
        for i in range(options.lstm.n_layers):
            cell = f"RNN_{number}/RNN/MultiRNNCell/Cell{i}/LSTMCell"
            own = f"{direction}.layers.{i}"
            yield Dataset(f"{cell}/W_0", f"{own}.weight", _transpose, _transpose)
            yield Dataset(f"{cell}/B", f"{own}.bias", _same, _same)
            if options.lstm.has_projection:
                yield Dataset(f"{cell}/W_P_0", f"{own}.projection", _transpose, _transpose)


def read_hdf5(options: BiLMOptions, path: str | Path) -> Weights:
    """Read official weights; every shape is checked before any value is read.

    Raises FileNotFoundError, or ValueError naming the file, the dataset and both shapes.
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(Errors.EL003.format(path=path, what="weights.hdf5"))
    check_size(options, path.stat().st_size, path)
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            return Weights(options, _read(options, file, path))
    except _Misfit:
        raise
    # h5py tells of damage inside a file by any of these, and of a file that is none by OSError.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as err:
        raise ValueError(Errors.EL004.format(path=path, problem=err)) from err


def _read(options: BiLMOptions, file: h5py.File, path: Path) -> dict[str, Tensor]:
    tensors = {} if "CNN_proj" in file else _identity_projection(options)
    table = [dataset for dataset in datasets(options) if dataset.parameter not in tensors]
    for dataset in table:
        _check(path, file, dataset, options.shapes[dataset.parameter])
    for dataset in table:
        values = file[dataset.name][...]
        with np.errstate(over="ignore"):  # a float64 too large becomes infinite: caught below
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise _Misfit(Errors.EL007.format(path=path, name=dataset.name))
        values = np.ascontiguousarray(dataset.to_torch(values))
        with lasting():
            tensors[dataset.parameter] = torch.from_numpy(values)
    return tensors


def write_hdf5(weights: Weights, directory: str | Path) -> None:
    """Write ``options.json`` and ``weights.hdf5`` in the official layout, float32.

    Raises OSError where they cannot be written; what was there before stays.
    """
    with weights_in(directory, "weights.hdf5", weights.options) as path:
        try:
            with h5py.File(path, "w") as file:
                for dataset in datasets(weights.options):
                    values = weights.tensors[dataset.parameter].detach().float().cpu().numpy()
                    file.create_dataset(dataset.name, data=dataset.to_hdf5(values))
        except RuntimeError as err:  # how h5py says that a full disk kept it from closing the file
            raise OSError(str(err)) from err


def _check(path: Path, file: h5py.File, dataset: Dataset, shape: tuple[int, ...]) -> None:
    """Compare a dataset's declared shape with the parameter's, without reading its values."""
    item = _dataset_in(file, dataset.name)
    if item is None:
        raise _Misfit(Errors.EL005.format(path=path, name=dataset.name))
    # What the parameter looks like in the file, from a stand-in that takes no memory.
    expected = dataset.to_hdf5(np.broadcast_to(np.float32(0), shape)).shape
    shapes = [expected]
    if dataset.name == "char_embed":
        shapes.append((expected[0] + 1, *expected[1:]))
    if item.shape not in shapes or item.dtype.kind != "f":
        message = Errors.EL006.format(
            path=path, name=dataset.name, found=item.shape, dtype=item.dtype, expected=expected
        )
        raise _Misfit(message)
    if problem := _stored(item):
        raise _Misfit(Errors.EL019.format(path=path, name=dataset.name, problem=problem))


def _stored(dataset: h5py.Dataset) -> str | None:
    """Return what is wrong with how a dataset's values are stored, or None.

    A filter decides how much it unpacks, and may be code from the reader's plugin folder; chunks
    may be declared larger than all values; values that were never written take no space.
    """
    properties = dataset.id.get_create_plist()
    if properties.get_nfilters():
        return f"through the filter {properties.get_filter(0)[3].decode(errors='replace')!r}"
    if dataset.chunks is not None and math.prod(dataset.chunks) > dataset.size + _MOST_PADDING:
        return f"in chunks of {dataset.chunks} values"
    if dataset.id.get_storage_size() < dataset.size * dataset.dtype.itemsize:
        return f"with {dataset.id.get_storage_size():,} of its {dataset.nbytes:,} bytes only"
    return None


def _dataset_in(file: h5py.File, name: str) -> h5py.Dataset | None:
    """Return the dataset of this name; None if it is missing or stored in another file."""
    item: h5py.Group | h5py.Dataset = file
    for part in name.split("/"):
        # Links that lead out of the file, at any level, would read someone else's data.
        if not isinstance(item, h5py.Group) or part not in item:
            return None
        if not isinstance(item.get(part, getlink=True), h5py.HardLink):
            return None
        item = item[part]
    if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
        return None
    return item


def _identity_projection(options: BiLMOptions) -> dict[str, Tensor]:
    """Return the identity as projection, if it has a shape that bilm-tf leaves out."""
    n = options.lstm.projection_dim
    if options.char_cnn.n_filters != n:
        return {}
    with lasting():
        return {
            "char_cnn.projection.weight": torch.eye(n, dtype=torch.float32),
            "char_cnn.projection.bias": torch.zeros(n, dtype=torch.float32),
        }
