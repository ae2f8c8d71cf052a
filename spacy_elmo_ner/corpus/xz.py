"""Read .xz files with bounded memory."""

import io
import lzma
from pathlib import Path
from typing import Any

# `xz -9` needs 65 MB to unpack; a hostile file may ask for gigabytes, and lzma.open gives them.
_MOST_MEMORY = 1 << 28
_BLOCK = 1 << 16


class XZReader(io.RawIOBase):
    """Decompress an .xz or .lzma file while it is read.

    Reading raises LZMAError for damage or a file that needs more than 256 MB to unpack, EOFError
    for one that is cut short.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""
        self._decompressor = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)

    def readable(self) -> bool:
        """Return True."""
        return True

    def packed_position(self) -> int:
        """Return how many bytes of the packed file have been read."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill in the next bytes and return their number, 0 at the end."""
        data = b""
        while not data:
            if self._decompressor.eof and not self._next_stream():
                return 0
            packed = b""
            if self._decompressor.needs_input:
                packed = self._rest or self._file.read(_BLOCK)
                self._rest = b""
                if not packed:
                    raise EOFError("packed data ended before its end mark")
            data = self._decompressor.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next_stream(self) -> bool:
        """Continue with what follows a stream, padding or another stream; False at the end."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        while not rest:
            block = self._file.read(_BLOCK)
            if not block:
                return False
            rest = block.lstrip(b"\0")
        self._rest = rest
        self._decompressor = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)
        return True

    def close(self) -> None:
        self._file.close()
        super().close()
