"""Read word vectors that spaCy holds: from a folder, an installed pipeline, or a vocab."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import LOWER, ORTH
from spacy.tokens import Doc
from spacy.util import get_package_path, is_package
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.backends import get_array_ops

from ..errors import Errors
from .quantize import PlainValues
from .table import VectorTable, table_of


def vectors_folder(name: str) -> Path | None:
    """Find where spaCy has saved vectors: in name's folder, one inside it, or an installed package.

    None if there are none.
    """
    folders = [Path(name).expanduser()]
    if name and is_package(name):
        package = get_package_path(name)
        folders += sorted(path for path in package.glob(f"{name}-*") if path.is_dir())
    inside = ("", "vectors", "vocab", "vocab/vectors")
    candidates = (folder / place for folder in folders for place in inside)
    return next((path for path in candidates if _holds_vectors(path)), None)


def _holds_vectors(folder: Path) -> bool:
    return (folder / "vectors").is_file() and (folder / "key2row").is_file()


def saved_width(folder: Path) -> int:
    """Return the width of the vectors in such a folder, without reading them.

    Raises ValueError if they cannot be read (EL050).
    """
    try:
        return int(np.load(folder / "vectors", mmap_mode="r", allow_pickle=False).shape[1])
    except (OSError, ValueError, IndexError) as err:
        raise ValueError(Errors.EL050.format(path=folder, problem=err)) from err


def read_spacy_vectors(folder: Path) -> VectorTable:
    """Read the table in a folder that `Vectors.to_disk` wrote.

    Raises ValueError if it cannot be read or is empty (EL050), or if it is a floret table, whose
    words have no keys (EL052).
    """
    try:
        vectors = Vectors().from_disk(folder)
    except Exception as err:  # any error of spaCy's readers
        raise ValueError(Errors.EL050.format(path=folder, problem=err)) from err
    if vectors.mode != Mode.default:
        raise ValueError(Errors.EL052.format(path=folder, mode=vectors.mode))
    data = get_array_ops(vectors.data).to_numpy(vectors.data).astype(np.float32, copy=False)
    if not data.size or not vectors.key2row or not np.isfinite(data).all():
        problem = f"it has {len(vectors.key2row)} words and an array {data.shape}"
        if data.size and vectors.key2row:
            problem = "its values are not finite"
        raise ValueError(Errors.EL050.format(path=folder, problem=problem))
    keys = np.fromiter(vectors.key2row.keys(), dtype=np.uint64, count=len(vectors.key2row))
    rows = np.fromiter(vectors.key2row.values(), dtype=np.int64, count=len(vectors.key2row))
    return table_of(keys, rows, PlainValues(data), vectors.attr)


def word_keys(doc: Doc, attr: int = ORTH) -> NDArray[np.uint64]:
    """Return each token's hash as the table has it, and in lower case: (n_tokens, 2) uint64."""
    return np.asarray(doc.to_array([attr, LOWER]), dtype=np.uint64).reshape(len(doc), 2)


def vocab_width(vocab: Vocab) -> int:
    """Return the width of a vocab's vectors; 0 if it has none."""
    return vocab.vectors.shape[1]


def vocab_vectors(doc: Doc) -> NDArray[np.float32]:
    """Look a Doc's words up in its vocab: as written, else in lower case, else zeros.

    Returns (n_tokens, width). A floret table has a vector for any word as written.
    """
    vectors = doc.vocab.vectors
    keys = word_keys(doc, getattr(vectors, "attr", ORTH))
    ops = get_array_ops(vectors.data) if isinstance(vectors, Vectors) else None
    if ops is None or vectors.mode != Mode.default:
        looked_up = vectors.get_batch(keys[:, 0])
        return get_array_ops(looked_up).to_numpy(looked_up).astype(np.float32, copy=False)
    rows = np.asarray(ops.to_numpy(vectors.find(keys=keys[:, 0])))
    unknown = rows < 0
    if unknown.any():
        rows[unknown] = ops.to_numpy(vectors.find(keys=keys[unknown, 1]))
    result = ops.to_numpy(vectors.data[ops.asarray(rows)]).astype(np.float32)
    result[rows < 0] = 0
    return result
