"""Decide by a text's bytes which encoding it is in."""

import codecs
import re
from dataclasses import dataclass

# In the order they are asked: UTF-32's mark for little-endian begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_ASCII = re.compile("[^\0-\x7f]")
# Bytes that are no UTF-8 become surrogates; neighbours are one damaged character.
_CHARACTERS = re.compile("[\udc80-\udcff]+|[^\0-\x7f]")
_SINGLE_BYTE = "cp1252"


@dataclass(frozen=True)
class Decoded:
    """Holds a text and its encoding, as Python names it.

    is_guess: neither a byte order mark nor the bytes themselves told the encoding.
    """

    text: str
    encoding: str
    is_guess: bool = False

    def first_not_ascii(self) -> tuple[int, str]:
        """Return the first line with a character outside ASCII: its number from 1, and itself."""
        match = _NOT_ASCII.search(self.text)
        if match is None:
            raise ValueError("the text is all ASCII")
        start = self.text.rfind("\n", 0, match.start()) + 1
        end = self.text.find("\n", match.start())
        line = self.text[start : end if end >= 0 else None].rstrip("\r")
        return self.text.count("\n", 0, start) + 1, line


def encoding_of_start(start: bytes) -> str | None:
    """Return the encoding that the first bytes of a file show, if it is not one of single bytes.

    They begin with a byte order mark, or every second one is zero, as in UTF-16 without a mark.
    """
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    return marked or _utf16_without_mark(start[:1024])


def decode(data: bytes) -> Decoded:
    """Decode bytes as what they show themselves to be.

    A byte order mark decides, or that every second byte is zero; then UTF-8, which text in other
    encodings all but never happens to be. Windows-1252 takes nearly any bytes, so it comes last,
    and not for text that is UTF-8 but for a few damaged characters. Raises UnicodeDecodeError,
    which names encoding and place.
    """
    if encoding := encoding_of_start(data):
        return Decoded(data.decode(encoding), encoding.removesuffix("-sig"))
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        if _is_mostly_utf8(data):
            raise
    return Decoded(data.decode(_SINGLE_BYTE), _SINGLE_BYTE, is_guess=True)


def _utf16_without_mark(start: bytes) -> str | None:
    """Return the UTF-16 whose high bytes are mostly zero, as those of European texts are."""
    first, second = start[::2], start[1::2]
    if first.count(0) == 0 and 2 * second.count(0) > len(second):
        return "utf-16-le"
    if second.count(0) == 0 and 2 * first.count(0) > len(first):
        return "utf-16-be"
    return None


def _is_mostly_utf8(data: bytes) -> bool:
    """Tell whether more characters outside ASCII are whole in UTF-8 than are not."""
    characters = _CHARACTERS.findall(data.decode("utf-8", errors="surrogateescape"))
    n_broken = sum("\udc80" <= character[0] <= "\udcff" for character in characters)
    return 2 * n_broken < len(characters)
