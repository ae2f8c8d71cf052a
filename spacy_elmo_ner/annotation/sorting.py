"""Put annotated texts in order of certainty with bounded memory: an external merge sort.

Each shard is a run: a file of records, sorted. Runs are merged, some at a time, to the files that
are wanted.
"""

import heapq
import math
import shutil
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import srsly

from ..files import atomic_file
from .outputs import Format
from .rows import Annotated

# Certainty, shard, place in the shard, bytes of the record.
_HEAD = struct.Struct(">dQQQ")
# Files that are open at one time, and records and bytes of one output file.
_FAN_IN = 64
_PART_TEXTS = 2_048
_PART_BYTES = 1 << 26


class Record(NamedTuple):
    """Holds one text's records by format, and its place: least certain first, then input order."""

    certainty: float
    shard: int
    place: int
    data: bytes


def run_of(shard: int, texts: Sequence[Annotated], formats: Mapping[str, Format]) -> bytes:
    """Return a shard as a run. Texts without a certainty come last."""
    records = []
    for place, one in enumerate(texts):
        data = srsly.msgpack_dumps({name: form.record(one) for name, form in formats.items()})
        certainty = math.inf if one.certainty is None else one.certainty
        records.append(Record(certainty, shard, place, data))
    return b"".join(map(_packed, sorted(records)))


def merge_runs(
    runs: Sequence[Path], formats: Mapping[str, Format], folder: Path, work: Path
) -> int:
    """Write the files of all formats to ``folder`` in order; return how many of each.

    work: a folder for intermediate runs, removed before and after. Runs are kept. What is already
    there is overwritten with the same content.
    """
    shutil.rmtree(work, ignore_errors=True)
    level = 0
    while len(runs) > _FAN_IN:
        work.mkdir(parents=True, exist_ok=True)
        merged = []
        for number, start in enumerate(range(0, len(runs), _FAN_IN)):
            path = work / f"{level}-{number:05d}"
            with path.open("wb") as file:
                file.writelines(map(_packed, _merged(runs[start : start + _FAN_IN])))
            merged.append(path)
        runs, level = merged, level + 1
    n_parts = 0
    for part in _parts(_merged(runs)):
        content = [srsly.msgpack_loads(record.data) for record in part]
        for name, form in formats.items():
            with atomic_file(folder / form.file_name(n_parts)) as path:
                path.write_bytes(form.join(one[name] for one in content))
        n_parts += 1
    shutil.rmtree(work, ignore_errors=True)
    return n_parts


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    records = iter(records)
    while part := [*islice(records, 1)]:
        size = len(part[0].data)
        for record in records:
            part.append(record)
            size += len(record.data)
            if len(part) >= _PART_TEXTS or size >= _PART_BYTES:
                break
        yield part


def _merged(runs: Sequence[Path]) -> Iterator[Record]:
    return heapq.merge(*map(_records, runs), key=lambda record: record[:3])


def _packed(record: Record) -> bytes:
    return _HEAD.pack(*record[:3], len(record.data)) + record.data


def _records(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            certainty, shard, place, n_bytes = _HEAD.unpack(head)
            yield Record(certainty, shard, place, file.read(n_bytes))
