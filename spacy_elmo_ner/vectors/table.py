"""Look static word vectors up by spaCy's 64-bit hashes of words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from spacy.attrs import ORTH

from ..errors import Errors
from .quantize import N_CENTRES, PlainValues, QuantizedValues

TABLE_FILE = "vectors.safetensors"

Keys = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Holds word hashes and their vectors. It never changes, so threads may share it.

    keys: (n_keys,) uint64, ascending. rows: (n_keys,) int32, the row of each key; None if key i
    has row i. attr: the attribute of a token that the keys are hashes of, ORTH in most tables.
    """

    keys: Keys
    rows: NDArray[np.int32] | None
    values: PlainValues | QuantizedValues
    attr: int = ORTH

    @property
    def width(self) -> int:
        """Return the number of values per vector."""
        return self.values.width

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Find the row of each key: (n,) uint64 -> (n,) int64, -1 for unknown ones."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        places = np.searchsorted(self.keys, keys)
        places[places == len(self.keys)] = 0
        rows = places if self.rows is None else self.rows[places]
        return np.where(self.keys[places] == keys, rows, -1)

    def look_up(self, keys: Keys) -> NDArray[np.float32]:
        """Return vectors (n, width) of words, from n rows of keys to try in turn; zeros if unknown.

        keys: (n, n_tries) uint64, usually the hash as written and that of the lower-cased word.
        """
        rows = self.find(keys[:, 0])
        for column in range(1, keys.shape[1]):
            (unknown,) = np.nonzero(rows < 0)
            rows[unknown] = self.find(keys[unknown, column])
        known = rows >= 0
        if known.all():
            return self.values.take(rows)
        vectors = np.zeros((len(keys), self.width), dtype=np.float32)
        vectors[known] = self.values.take(rows[known])
        return vectors

    # ---- bytes -----------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return the table as safetensors; equal tables give equal bytes."""
        tensors: dict[str, NDArray[Any]] = {"keys": self.keys}
        if self.rows is not None:
            tensors["rows"] = self.rows
        if self.attr != ORTH:
            tensors["attr"] = np.array([self.attr], dtype=np.int64)
        if isinstance(self.values, PlainValues):
            tensors["vectors"] = self.values.vectors
        else:
            tensors |= {"codes": self.values.codes, "codebook": self.values.codebook}
        return save({name: np.ascontiguousarray(value) for name, value in tensors.items()})

    @classmethod
    def from_bytes(cls, data: bytes, *, source: str | Path) -> "VectorTable":
        """Read what `to_bytes` wrote; source names the data in errors.

        Raises ValueError if names, types, shapes or values are not those of a table (EL050).
        """
        try:
            tensors = load(data)
        except (SafetensorError, ValueError, KeyError, TypeError) as err:
            raise ValueError(Errors.EL050.format(path=source, problem=err)) from err
        problem = _problem(tensors)
        if problem:
            raise ValueError(Errors.EL050.format(path=source, problem=problem))
        for value in tensors.values():
            value.setflags(write=False)
        values: PlainValues | QuantizedValues
        if "vectors" in tensors:
            values = PlainValues(tensors["vectors"])
        else:
            values = QuantizedValues(tensors["codes"], tensors["codebook"])
        attr = int(tensors["attr"][0]) if "attr" in tensors else ORTH
        return cls(tensors["keys"], tensors.get("rows"), values, attr)


def table_of(
    keys: NDArray[np.integer],
    rows: NDArray[np.integer] | None,
    values: PlainValues | QuantizedValues,
    attr: int = ORTH,
) -> VectorTable:
    """Build a table of keys in any order; if a key is there twice, its first row counts.

    keys: (n_keys,). rows: (n_keys,), or None if key i has row i.
    """
    rows = np.arange(len(keys)) if rows is None else rows
    distinct, first = np.unique(keys.astype(np.uint64), return_index=True)
    return VectorTable(distinct, rows[first].astype(np.int32), values, attr)


def _problem(tensors: dict[str, NDArray[Any]]) -> str | None:
    """Return what keeps these tensors from being a table; None if nothing does."""
    values = {"vectors"} if "vectors" in tensors else {"codes", "codebook"}
    wrong = sorted((set(tensors) - {"rows", "attr"}) ^ ({"keys"} | values))
    if wrong:
        return f"tensor {wrong[0]!r} is {'not expected' if wrong[0] in tensors else 'missing'}"
    shapes = {name: (str(value.dtype), value.ndim) for name, value in tensors.items()}
    floats = ("float16", "float32") if "vectors" in tensors else ("float32",)
    types = {
        "keys": (("uint64",), 1),
        "rows": (("int32",), 1),
        "attr": (("int64",), 1),
        "vectors": (floats, 2),
        "codes": (("uint8",), 2),
        "codebook": (floats, 3),
    }
    for name, (dtype, ndim) in shapes.items():
        if dtype not in types[name][0] or ndim != types[name][1]:
            return f"tensor {name!r} has {ndim} dimensions of {dtype}"
    keys, rows = tensors["keys"], tensors.get("rows")
    if (keys[1:] <= keys[:-1]).any():
        return "its keys do not ascend"
    if "codes" in tensors and tensors["codebook"].shape[:2] != (
        tensors["codes"].shape[1],
        N_CENTRES,
    ):
        return f"its codes {tensors['codes'].shape} do not fit {tensors['codebook'].shape} centres"
    n_rows = len(tensors["vectors"] if "vectors" in tensors else tensors["codes"])
    if len(keys) != (n_rows if rows is None else len(rows)):
        return f"it has {len(keys)} keys for {n_rows if rows is None else len(rows)} rows"
    if rows is not None and len(rows) and (rows.min() < 0 or rows.max() >= n_rows):
        return f"its rows reach from {rows.min()} to {rows.max()}, of {n_rows}"
    if "attr" in tensors and len(tensors["attr"]) != 1:
        return f"it names {len(tensors['attr'])} attributes of tokens"
    floating = tensors["vectors" if "vectors" in tensors else "codebook"]
    if not floating.size or not np.isfinite(floating).all():
        return "its values are not finite" if floating.size else "it has no values"
    return None
