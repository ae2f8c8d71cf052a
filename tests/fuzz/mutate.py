"""Changes to whole inputs, as a damaged disk, a careless hand or an attacker would make them."""

import random
from collections.abc import Callable, Sequence

from .targets import Target

_INTERESTING = (
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    32767,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32,
    2**63 - 1,
)

Change = Callable[[random.Random, bytearray, int], None]


def mutated(rng: random.Random, target: Target) -> bytes:
    """One of the target's seeds with one to eight changes."""
    which = rng.randrange(len(target.seeds))
    data = bytearray(target.seeds[which])
    places = target.places.get(which)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        at = _place(rng, data, places)
        kind = rng.random()
        if target.words and kind < 0.35:
            _put_word(rng, data, at, target.words)
        elif kind < 0.4 and len(target.seeds) > 1:
            other = rng.choice(target.seeds)
            data[at:] = other[rng.randrange(len(other) + 1) :]
        else:
            rng.choice(_CHANGES)(rng, data, at)
    return bytes(data)


def _place(rng: random.Random, data: bytearray, places: Sequence[int] | None) -> int:
    if places and rng.random() < 0.95:
        return min(rng.choice(places), len(data))
    return rng.randrange(len(data) + 1)


def _put_word(rng: random.Random, data: bytearray, at: int, words: Sequence[bytes]) -> None:
    word = rng.choice(words)
    replaced = rng.choice((0, len(word), rng.randrange(8)))
    data[at : at + replaced] = word


def _flip(rng: random.Random, data: bytearray, at: int) -> None:
    if at < len(data):
        data[at] ^= 1 << rng.randrange(8)


def _byte(rng: random.Random, data: bytearray, at: int) -> None:
    data[at : at + 1] = bytes([rng.randrange(256)])


def _insert(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 8, 64)))


def _delete(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.choice((1, 1, 2, 4, 8, 64))]


def _cut(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at:]


def _repeat(rng: random.Random, data: bytearray, at: int) -> None:
    part = data[at : at + rng.choice((1, 4, 16, 64))]
    data[at:at] = part * rng.choice((1, 2, 3, 50))


def _move(rng: random.Random, data: bytearray, at: int) -> None:
    part = data[at : at + rng.choice((1, 4, 16, 64))]
    to = rng.randrange(len(data) + 1)
    data[to : to + len(part)] = part


def _number(rng: random.Random, data: bytearray, at: int) -> None:
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(_INTERESTING) % (1 << 8 * size)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _digits(rng: random.Random, data: bytearray, at: int) -> None:
    value = str(rng.choice(_INTERESTING)).encode()
    end = at
    while end < len(data) and data[end : end + 1].isdigit():
        end += 1
    data[at:end] = value


_CHANGES: Sequence[Change] = (
    *(
        _flip,
        _flip,
        _byte,
        _byte,
        _insert,
        _delete,
        _cut,
        _repeat,
        _move,
        _number,
        _number,
        _digits,
    ),
)
