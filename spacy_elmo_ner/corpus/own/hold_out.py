"""Split texts into train and dev where a person has only one file."""

import hashlib
from collections.abc import Hashable, Sequence

from ...errors import Errors
from .texts import OwnText

# One text in ten is held out.
SHARE = 10
# Files that mark fewer documents are divided by texts.
_LEAST_DOCUMENTS = 10


def hold_out(texts: Sequence[OwnText]) -> tuple[list[OwnText], list[OwnText]]:
    """Return (train, dev): the same texts are always held out, in whatever order they come.

    Equal texts stay on one side, and so do the texts of a document where files mark at least ten.
    Raises ValueError (EL659) where all texts are equal.
    """
    groups: dict[Hashable, list[OwnText]] = {}
    n_documents = len({(text.path, text.document) for text in texts if text.document is not None})
    by_document = n_documents >= _LEAST_DOCUMENTS
    for text in texts:
        groups.setdefault(_group(text, by_document), []).append(text)
    if len(groups) < 2:
        raise ValueError(Errors.EL659.format(n=len(texts)))
    wanted = max(1, round(len(texts) / SHARE))
    held: set[int] = set()
    for group in sorted(groups.values(), key=_drawn):
        if len(held) + len(group) <= wanted:
            held |= {id(text) for text in group}
    if not held:  # every group is larger than a tenth
        held = {id(text) for text in min(groups.values(), key=len)}
    return (
        [text for text in texts if id(text) not in held],
        [text for text in texts if id(text) in held],
    )


def _group(text: OwnText, by_document: bool) -> Hashable:
    if by_document and text.document is not None:
        return (text.path, text.document)
    return text.words


def _drawn(group: Sequence[OwnText]) -> bytes:
    """Return a number for a group that depends on its words alone."""
    words = "\n".join(sorted(" ".join(text.words) for text in group))
    return hashlib.sha256(words.encode("utf8", errors="surrogatepass")).digest()
