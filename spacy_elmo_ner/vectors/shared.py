"""Find vector tables by name and keep each in memory once: packaged ones, and folders."""

import hashlib
import weakref
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..elmo.locks import Lock
from ..errors import Errors
from ..files import sha256_of
from .spacy_vectors import read_spacy_vectors, saved_width, vectors_folder
from .table import TABLE_FILE, VectorTable

PACKAGED = Path(__file__).parent.parent / "data"

_shared: weakref.WeakValueDictionary[str, VectorTable] = weakref.WeakValueDictionary()
_reading = Lock()


def packaged_names() -> list[str]:
    """Return the names of the tables that ship in the package."""
    return sorted(path.parent.name for path in PACKAGED.glob(f"*/{TABLE_FILE}"))


def packaged_sha256(name: str) -> str | None:
    """Return the sha256 of a packaged table's file; None for a name that is not packaged."""
    if name not in packaged_names():
        return None
    path = PACKAGED / name / TABLE_FILE
    return _sha256_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _sha256_once(path: Path, mtime_ns: int) -> str:
    return sha256_of(path)


def table_width(name: str) -> int | None:
    """Return the width of the vectors by this name, without reading them.

    None if nothing has this name: a saved pipeline may bring its table along.
    Raises ValueError for a file that is no table (EL050).
    """
    path = _table_file(name)
    if path is not None:
        try:
            with safe_open(path, "numpy") as file:
                if "vectors" in file.keys():  # noqa: SIM118 (not a dict)
                    return int(file.get_slice("vectors").get_shape()[1])
                n_parts, _, part_width = file.get_slice("codebook").get_shape()
                return int(n_parts * part_width)
        except (SafetensorError, ValueError, IndexError, OSError) as err:
            raise ValueError(Errors.EL050.format(path=path, problem=err)) from err
    folder = vectors_folder(name)
    return saved_width(folder) if folder else None


def shared_table(name: str) -> VectorTable:
    """Return the table by this name, which is read once for all who ask for it.

    name: a packaged table; a folder with vectors.safetensors, as `elmo vectors` writes it; a
    folder or an installed pipeline with spaCy's vectors. Raises ValueError if there is none by
    this name (EL051) or it cannot be read (EL050, EL052).
    """
    path = _table_file(name)
    folder = None if path else vectors_folder(name)
    if folder is not None:
        path = folder / "vectors"
    if path is None:
        raise ValueError(Errors.EL051.format(name=name, names=", ".join(packaged_names())))
    # A file may be written anew while the old one is in use.
    key = f"{path.resolve()} {path.stat().st_mtime_ns}"
    with _reading:
        table = _shared.get(key)
        if table is None:
            if folder is not None:
                table = read_spacy_vectors(folder)
            else:
                table = VectorTable.from_bytes(path.read_bytes(), source=path)
            _shared[key] = table
        return table


def shared_from_bytes(data: bytes) -> VectorTable:
    """Return a table that a pipeline was saved with, shared by all with the same bytes.

    Raises ValueError if it cannot be read (EL050).
    """
    key = f"sha256:{hashlib.sha256(data).hexdigest()}"
    with _reading:
        table = _shared.get(key)
        if table is None:
            table = VectorTable.from_bytes(data, source="the saved pipeline's table of vectors")
            _shared[key] = table
        return table


def _table_file(name: str) -> Path | None:
    folder = PACKAGED / name if name in packaged_names() else Path(name).expanduser()
    path = folder / TABLE_FILE
    return path if path.is_file() else None
