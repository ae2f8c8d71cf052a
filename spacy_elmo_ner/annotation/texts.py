"""Hold texts to annotate, and the shards they are worked on in."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# A shard is what a killed run loses, and what a process holds in memory at one time.
SHARD_TEXTS = 2_048
SHARD_CHARACTERS = 2_000_000


class Text(NamedTuple):
    """Holds one text and its id.

    text: None where it could not be read. words, spaces: the tokens of a Doc that was given
    tokenized; spaces is None where they are not known. error: why there is no text.
    """

    id: str
    text: str | None
    words: list[str] | None = None
    spaces: list[bool] | None = None
    error: str | None = None


@dataclass(frozen=True)
class Shard:
    """Holds texts that follow each other in the input.

    number: its place among all shards, from 0. n_bytes_read: how far the input was read for it.
    """

    number: int
    texts: Sequence[Text]
    n_bytes_read: int

    def to_bytes(self) -> bytes:
        """Return the shard as JSON in UTF-8; equal shards give equal bytes."""
        message = [self.number, self.n_bytes_read, *self.texts]
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Shard":
        """Return the shard that `to_bytes` wrote."""
        number, n_bytes_read, *texts = json.loads(data)
        return cls(number, [Text(*text) for text in texts], n_bytes_read)

    def digest(self) -> str:
        """Return the sha256 of the texts and their ids, as 64 hexadecimal digits."""
        content = json.dumps([*self.texts], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def cut(
    texts: Iterable[tuple[Text, int]],
    n_texts: int = SHARD_TEXTS,
    n_characters: int = SHARD_CHARACTERS,
) -> Iterator[Shard]:
    """Cut texts, each with the bytes read so far, into shards of at most ``n_texts``.

    A shard ends sooner with the text that brings it to ``n_characters``. The same texts always
    give the same shards.
    """
    number, shard, size, read = 0, list[Text](), 0, 0
    for text, read in texts:
        shard.append(text)
        size += len(text.text or "")
        if len(shard) == n_texts or size >= n_characters:
            yield Shard(number, shard, read)
            number, shard, size = number + 1, [], 0
    if shard:
        yield Shard(number, shard, read)
