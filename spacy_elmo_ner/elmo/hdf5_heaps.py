"""Find damage that HDF5's own library does not survive before the library sees the file."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# By version of the superblock: where it says how wide offsets and lengths are, and its own address.
_WIDTHS_AND_BASE = {0: (13, 24), 1: (13, 28), 2: (9, 12), 3: (9, 12)}
_HEAP = b"HEAP\0"
_END = 1  # in the place of the next free block's offset
_BLOCK = 1 << 20


def check_heaps(path: Path) -> None:
    """Raise ValueError unless every heap of group names has a list of free blocks that ends.

    libhdf5 (also 2.0.0) follows a list that leads back to itself forever. One changed bit is
    enough for that, and nothing in Python can interrupt it.
    """
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(36).ljust(36, b"\0")
        if not begin.startswith(_SIGNATURE):
            raise ValueError("it does not begin like an HDF5 file")
        widths, base = _WIDTHS_AND_BASE.get(begin[8], (0, 0))
        if not widths or begin[widths : widths + 2] != b"\x08\x08" or any(begin[base : base + 8]):
            raise ValueError("its first block is not that of an ordinary HDF5 file")
        for at in list(_heaps(file)):
            _check_heap(file, at, n_bytes)


def _heaps(file: BinaryIO) -> Iterator[int]:
    """Yield where heaps begin. Values of weights do not contain their five bytes."""
    file.seek(0)
    offset, rest = 0, b""
    while block := file.read(_BLOCK):
        data = rest + block
        at = data.find(_HEAP)
        while at >= 0:
            yield offset + at
            at = data.find(_HEAP, at + 1)
        rest = data[1 - len(_HEAP) :]
        offset += len(data) - len(rest)


def _check_heap(file: BinaryIO, at: int, n_bytes: int) -> None:
    file.seek(at)
    size, free, start = struct.unpack("<3Q", file.read(32).ljust(32, b"\xff")[8:])
    if start + size > n_bytes:
        raise ValueError("a list of names lies beyond the end")
    seen = set()
    while free != _END:
        if free in seen or free + 16 > size:
            raise ValueError("a list of names has free places that lead nowhere or in a circle")
        seen.add(free)
        file.seek(start + free)
        (free,) = struct.unpack("<Q", file.read(8))
