"""Find files below folders, and open text files, packed or not, with bounded memory."""

import gzip
import io
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .encoding import encoding_of_start
from .xz import XZReader

PACKED = (".gz", ".xz")

# What reading raises where packed data is damaged or cut short.
DAMAGE = (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile)


def is_packed(path: Path) -> bool:
    """Return whether a file's name says that it is compressed."""
    return path.suffix.lower() in PACKED


def kind_of(path: Path) -> str:
    """Return the suffix in lower case, of a packed file the one before .gz or .xz."""
    return (path.with_suffix("") if is_packed(path) else path).suffix.lower()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder. Links to folders are followed, each folder once.

    Raises OSError for a folder that cannot be listed.
    """

    def stop(error: OSError) -> None:
        raise error

    # A link to a folder above would lead round in a circle.
    seen = {os.path.realpath(folder)}
    for name, folders, files in os.walk(folder, onerror=stop, followlinks=True):
        found = sorted(folders, key=lambda each: (Path(name, each).is_symlink(), each))
        folders.clear()
        for each in found:
            place = os.path.realpath(Path(name, each))
            if place not in seen:
                seen.add(place)
                folders.append(each)
        yield from (Path(name, file) for file in files)


def open_text(path: Path) -> IO[str]:
    """Open a UTF-8 file, decompressed as it is read. Other bytes become surrogates.

    Surrogates let the caller name the line they are in.
    """
    return _as_text(open_bytes(path), "utf-8-sig", None)


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file, decompressed as it is read."""
    opener: Any = {".xz": XZReader, ".gz": gzip.GzipFile}.get(path.suffix.lower(), io.FileIO)
    return io.BufferedReader(opener(path))


def decoded(file: io.BufferedReader, newline: str | None = None) -> IO[str]:
    """Decode a binary stream as its first bytes show, otherwise like `open_text`."""
    return _as_text(file, encoding_of_start(file.peek(1024)) or "utf-8-sig", newline)


def _as_text(file: io.BufferedReader, encoding: str, newline: str | None) -> IO[str]:
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=newline)


def bytes_read(file: IO[str]) -> int:
    """Return how many bytes of an open text file, as they are on the disk, have been read."""
    raw: Any = file.buffer.raw  # type: ignore[attr-defined]
    if isinstance(raw, XZReader):
        return raw.packed_position()
    packed: Any = raw.fileobj if isinstance(raw, gzip.GzipFile) else raw
    return packed.tell()
