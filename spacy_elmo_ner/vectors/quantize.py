"""Hold a table's values as they are, or as product-quantized bytes (Jégou et al. 2011)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors

N_CENTRES = 256  # what a byte can name
_ITERATIONS = 12
_SAMPLE = 40_000  # rows that the centres are fitted to: more change the cosine by less than 1e-4


@dataclass(frozen=True, eq=False)
class PlainValues:
    """Holds rows as they are: vectors (n_rows, width) float32 or float16."""

    vectors: NDArray[np.floating]

    @property
    def width(self) -> int:
        """Return the number of values per row."""
        return self.vectors.shape[1]

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors of rows (n,): (n, width) float32."""
        return self.vectors[rows].astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class QuantizedValues:
    """Holds one byte per part of a row: the number of the centre nearest to that part.

    codes: (n_rows, n_parts) uint8. codebook: (n_parts, 256, part_width) float32.
    """

    codes: NDArray[np.uint8]
    codebook: NDArray[np.float32]

    @property
    def width(self) -> int:
        """Return the number of values per row."""
        n_parts, _, part_width = self.codebook.shape
        return n_parts * part_width

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors of rows (n,): (n, width) float32."""
        n_parts, n_centres, part_width = self.codebook.shape
        first = np.arange(n_parts, dtype=np.int64) * n_centres
        centres = self.codebook.reshape(-1, part_width)
        return centres.take(self.codes[rows] + first, axis=0).reshape(len(rows), self.width)


def quantize(vectors: NDArray[np.floating], part_width: int = 2, seed: int = 0) -> QuantizedValues:
    """Cut each row (of width float32) into parts of part_width values and keep a byte of each.

    The same input gives the same bytes on every machine: nothing here goes through BLAS, whose
    sums differ between CPUs. Raises ValueError if part_width does not divide the width (EL053).
    """
    n_rows, width = vectors.shape
    if part_width < 1 or width % part_width:
        raise ValueError(Errors.EL053.format(part_width=part_width, width=width))
    generator = np.random.default_rng(seed)
    sample = np.sort(generator.choice(n_rows, min(n_rows, _SAMPLE), replace=False))
    codes = np.empty((n_rows, width // part_width), dtype=np.uint8)
    codebook = np.zeros((width // part_width, N_CENTRES, part_width), dtype=np.float32)
    for part in range(codes.shape[1]):
        columns = slice(part * part_width, (part + 1) * part_width)
        values = vectors[:, columns].astype(np.float32)
        centres = _centres(values[sample], generator)
        codebook[part, : len(centres)] = centres
        codes[:, part] = _nearest(values, centres)
    return QuantizedValues(codes, codebook)


def _centres(values: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Compute at most 256 centres (n, part_width) of these values by k-means."""
    centres = generator.permutation(np.unique(values, axis=0))[:N_CENTRES].copy()
    for _ in range(_ITERATIONS):
        nearest = _nearest(values, centres)
        n_near = np.bincount(nearest, minlength=len(centres))
        for column in range(values.shape[1]):
            total = np.bincount(nearest, values[:, column], len(centres))
            moved = (total / np.maximum(n_near, 1)).astype(np.float32)
            centres[:, column] = np.where(n_near > 0, moved, centres[:, column])
    return centres


def _nearest(values: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the number of the centre nearest to each value, (n,)."""
    nearest = np.empty(len(values), dtype=np.intp)
    for start in range(0, len(values), 4096):  # distances that stay in the cache
        block = values[start : start + 4096]
        distances = np.zeros((len(block), len(centres)), dtype=np.float32)
        for column in range(values.shape[1]):
            distances += (block[:, column, None] - centres[None, :, column]) ** 2
        nearest[start : start + 4096] = distances.argmin(axis=1)
    return nearest


def cosines(vectors: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute the cosine between rows of the same number, (n,); 0 for a row of zeros."""
    a, b = vectors.astype(np.float64), others.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), norms, out=np.zeros(len(a)), where=norms > 0)
