"""Make a vector table smaller: the first words of another one, in fewer bytes."""

import numpy as np

from ..errors import Errors
from .quantize import QuantizedValues, cosines, quantize
from .table import VectorTable


def smaller_table(
    table: VectorTable, *, n_words: int, part_width: int
) -> tuple[VectorTable, float]:
    """Return the first n_words rows of a table, quantized, and their mean cosine to the original.

    Words that share a row are kept together. Raises ValueError if part_width does not divide the
    table's width (EL053), or for the first rows of a table that does not keep their order (EL055).
    """
    n_rows = len(table.keys)
    if table.rows is None and n_words < n_rows:
        raise ValueError(Errors.EL055.format(n=n_rows, n_words=n_words))
    rows = table.rows if table.rows is not None else np.arange(n_rows, dtype=np.int32)
    kept_rows = np.unique(rows)[:n_words]
    # In the order of the source, so that a sample of them does not depend on their hashes.
    vectors = table.values.take(kept_rows)
    values = quantize(vectors, part_width)
    cosine = float(cosines(vectors, values.take(np.arange(len(kept_rows)))).mean())
    kept = rows <= kept_rows[-1]
    keys, places = table.keys[kept], np.searchsorted(kept_rows, rows[kept]).astype(np.int32)
    if len(keys) > len(kept_rows):  # some words share a row
        return VectorTable(keys, places, values, table.attr), cosine
    in_key_order = QuantizedValues(values.codes[places], values.codebook)
    return VectorTable(keys, None, in_key_order, table.attr), cosine
