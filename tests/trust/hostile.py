"""Files made to take all memory, or to lead elsewhere; run in a process that may not grow much.

``python -m tests.trust.hostile FOLDER``: reads each, and prints as JSON what came of it and by
how many megabytes the process grew.
"""

import gzip
import json
import lzma
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spacy_elmo_ner.comparison.label_maps import LabelMap
from spacy_elmo_ner.corpus.gmb import read_gmb
from spacy_elmo_ner.elmo import BiLM, BiLMOptions
from spacy_elmo_ner.pretraining.config import PretrainingConfig
from spacy_elmo_ner.pretraining.files import read_lines
from spacy_elmo_ner.pretraining.text import TokenizedText, tokenize
from tests.conftest import random_bilm

HEADROOM = 512 << 20
CELL = "RNN_0/RNN/MultiRNNCell/Cell0/LSTMCell"
BIAS = f"{CELL}/B"
# Numbers of options.json that together ask for 3 GB of weights.
HUGE = {"lstm": {"dim": 4096, "projection_dim": 10_000, "n_layers": 1}}

Read = Callable[[Path], object]


def _official(folder: Path, **changes: dict[str, Any]) -> None:
    """A tiny biLM as HDF5, its options changed block by block."""
    random_bilm().to_hdf5(folder)
    path = folder / "options.json"
    options = json.loads(path.read_text(encoding="utf8"))
    for block, values in changes.items():
        options[block] |= values
    path.write_text(json.dumps(options), encoding="utf8")


def _read_hdf5(folder: Path) -> object:
    return BiLM.from_hdf5(folder / "options.json", folder / "weights.hdf5")


@contextmanager
def _opened(folder: Path) -> Iterator[h5py.File]:
    _official(folder)
    with h5py.File(folder / "weights.hdf5", "r+") as file:
        yield file


def _zeros(n_megabytes: int) -> bytes:
    """A zlib stream of zeros, made from one megabyte packed once."""
    packer = zlib.compressobj(9)
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return megabyte + again * (n_megabytes - 1) + packer.flush()


def options_of_gigabytes_beside_a_small_file(folder: Path) -> Read:
    random_bilm().to_disk(folder)
    (folder / "options.json").write_text(json.dumps(_options(**HUGE)), encoding="utf8")
    return BiLM.from_disk


def options_of_many_layers(folder: Path) -> Read:
    options = _options(lstm={"n_layers": 60_000, "dim": 1, "projection_dim": 1})
    (folder / "options.json").write_text(json.dumps(options), encoding="utf8")
    return BiLM.from_disk


def options_of_endless_words(folder: Path) -> Read:
    options = _options(char_cnn={"max_characters_per_token": 60_000})
    (folder / "options.json").write_text(json.dumps(options), encoding="utf8")
    return BiLM.from_disk


def _options(**changes: dict[str, Any]) -> dict[str, Any]:
    options = random_bilm().options.to_dict()
    for block, values in changes.items():
        options[block] |= values
    return options


def _with_weights(folder: Path, data: bytes) -> Read:
    random_bilm().to_disk(folder)
    path = folder / "weights.safetensors"
    path.write_bytes(data + bytes(max(0, path.stat().st_size - len(data))))
    return BiLM.from_disk


def safetensors_with_an_endless_header(folder: Path) -> Read:
    return _with_weights(folder, (1 << 62).to_bytes(8, "little") + b"{")


def safetensors_with_a_huge_shape(folder: Path) -> Read:
    header = {"x": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(header).encode()
    return _with_weights(folder, len(text).to_bytes(8, "little") + text)


def safetensors_with_overlapping_values(folder: Path) -> Read:
    header = {
        f"x{i}": {"dtype": "F32", "shape": [250], "data_offsets": [0, 1000]} for i in range(100)
    }
    text = json.dumps(header).encode()
    return _with_weights(folder, len(text).to_bytes(8, "little") + text + bytes(1000))


def safetensors_of_gigabytes(folder: Path) -> Read:
    random_bilm().to_disk(folder)
    with (folder / "weights.safetensors").open("r+b") as file:
        file.truncate(8 << 30)
    return BiLM.from_disk


def hdf5_with_a_huge_shape(folder: Path) -> Read:
    with _opened(folder) as file:
        del file[BIAS]
        file.create_dataset(BIAS, (1 << 20, 1 << 20), "f")
    return _read_hdf5


def hdf5_whose_values_were_never_written(folder: Path) -> Read:
    with _opened(folder) as file:
        shape = file[BIAS].shape
        del file[BIAS]
        file.create_dataset(BIAS, shape, "f", fillvalue=3.0)
    return _read_hdf5


def hdf5_with_a_chunk_that_unpacks_to_a_gigabyte(folder: Path) -> Read:
    with _opened(folder) as file:
        shape = file[BIAS].shape
        del file[BIAS]
        dataset = file.create_dataset(BIAS, shape, "f", chunks=shape, compression="gzip")
        dataset.id.write_direct_chunk((0,), _zeros(1024))
    return _read_hdf5


def hdf5_with_a_chunk_of_a_gigabyte(folder: Path) -> Read:
    with _opened(folder) as file:
        (n,) = file[BIAS].shape
        del file[BIAS]
        file.create_dataset(BIAS, (n,), "f", chunks=(1 << 28,), maxshape=(None,))
    return _read_hdf5


def hdf5_with_a_link_to_another_file(folder: Path) -> Read:
    random_bilm().to_hdf5(folder / "other")
    with _opened(folder) as file:
        del file[CELL]
        file[CELL] = h5py.ExternalLink(folder / "other" / "weights.hdf5", CELL)
    return _read_hdf5


def hdf5_with_a_link_in_a_circle(folder: Path) -> Read:
    with _opened(folder) as file:
        del file["RNN_0/RNN"]
        file["RNN_0/RNN"] = h5py.SoftLink("/RNN_0/RNN")
    return _read_hdf5


def hdf5_with_groups_ten_thousand_deep(folder: Path) -> Read:
    with _opened(folder) as file:
        del file["char_embed"]
        group = file.create_group("char_embed")
        for _ in range(10_000):
            group = group.create_group("a")
    return _read_hdf5


def hdf5_with_a_group_inside_itself(folder: Path) -> Read:
    with _opened(folder) as file:
        del file["CNN"]
        group = file.create_group("CNN")
        group["CNN"] = group
    return _read_hdf5


def hdf5_weights_of_other_options(folder: Path) -> Read:
    random_bilm(dim=6).to_hdf5(folder)
    (folder / "options.json").unlink()
    random_bilm().options.to_json(folder / "options.json")
    return _read_hdf5


def safetensors_weights_of_other_options(folder: Path) -> Read:
    random_bilm(dim=6).to_disk(folder)
    random_bilm().options.to_json(folder / "options.json")
    return BiLM.from_disk


def a_zip_that_unpacks_to_much(folder: Path) -> Read:
    path = folder / "ner_dataset.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("ner_dataset.csv", "w") as file,
    ):
        for _ in range(20):
            file.write(bytes(1 << 25))
    return lambda folder: read_gmb(path)


def an_xz_that_unpacks_to_much(folder: Path) -> Read:
    path = folder / "ner_dataset.csv.xz"
    path.write_bytes(lzma.compress(bytes(1 << 24)) * 128)
    return lambda folder: read_gmb(path)


def _wide_xz() -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": (3 << 29)}]
    # Packing takes many times the memory of unpacking: a small dictionary, and its size changed.
    small = bytearray(lzma.compress(b"text\n", filters=[{**filters[0], "dict_size": 1 << 16}]))
    # The filter's one byte of properties stands behind its id and its size, in the block's header.
    at = small.index(b"\x21\x01", 12) + 2
    small[at] = 40  # the largest there is: 4 GB
    end = 12 + (small[12] + 1) * 4 - 4
    small[end : end + 4] = zlib.crc32(bytes(small[12:end])).to_bytes(4, "little")
    return bytes(small)


def an_xz_that_needs_four_gigabytes(folder: Path) -> Read:
    path = folder / "ner_dataset.csv.xz"
    path.write_bytes(_wide_xz())
    return lambda folder: read_gmb(path)


def text_that_needs_four_gigabytes(folder: Path) -> Read:
    path = folder / "text.txt.xz"
    path.write_bytes(_wide_xz())
    return lambda folder: list(read_lines(path))


def text_of_one_line_of_two_gigabytes(folder: Path) -> Read:
    path = folder / "text.txt.gz"
    path.write_bytes(gzip.compress(b"x" * (1 << 24)) * 128)
    return lambda folder: list(read_lines(path))


def a_text_cache_of_terabytes(folder: Path) -> Read:
    (folder / "text.txt").write_text("The cat sat .\n", encoding="utf8")
    tokenize([folder / "text.txt"], progress=False).to_disk(folder)
    header = {"descr": "<i4", "fortran_order": False, "shape": (4_000_000_000_000,)}
    with (folder / "tokens.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(16))
    return TokenizedText.from_disk


def a_text_cache_that_points_beyond_its_words(folder: Path) -> Read:
    (folder / "text.txt").write_text("The cat sat .\n", encoding="utf8")
    tokenize([folder / "text.txt"], progress=False).to_disk(folder)
    np.save(folder / "tokens.npy", np.array([0, 1, 2, 99], dtype=np.int32))
    return TokenizedText.from_disk


def a_label_map_of_a_billion_laughs(folder: Path) -> Read:
    lines = ["ents: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = folder / "map.yaml"
    path.write_text("\n".join(lines), encoding="utf8")
    return lambda folder: LabelMap.from_file(path)


def a_config_of_a_billion_laughs(folder: Path) -> Read:
    lines = ['[paths]\na0 = "hahahahahahahaha"']
    lines += [f'a{i} = "{f"${{paths.a{i - 1}}}" * 20}"' for i in range(1, 9)]
    path = folder / "run.cfg"
    path.write_text("\n".join(lines), encoding="utf8")
    return lambda folder: PretrainingConfig.from_cfg(path)


def options_nested_beyond_reason(folder: Path) -> Read:
    path = folder / "options.json"
    path.write_text("[" * 60_000, encoding="utf8")
    return lambda folder: BiLMOptions.from_json(path)


# Each file, and the code it must be refused with.
CASES: dict[Callable[[Path], Read], str] = {
    options_of_gigabytes_beside_a_small_file: "EL004",
    options_of_many_layers: "EL002",
    options_of_endless_words: "EL002",
    options_nested_beyond_reason: "EL002",
    safetensors_with_an_endless_header: "EL004",
    safetensors_with_a_huge_shape: "EL004",
    safetensors_with_overlapping_values: "EL004",
    safetensors_of_gigabytes: "EL004",
    safetensors_weights_of_other_options: "EL006",
    hdf5_with_a_huge_shape: "EL006",
    hdf5_whose_values_were_never_written: "EL019",
    hdf5_with_a_chunk_that_unpacks_to_a_gigabyte: "EL019",
    hdf5_with_a_chunk_of_a_gigabyte: "EL019",
    hdf5_with_a_link_to_another_file: "EL005",
    hdf5_with_a_link_in_a_circle: "EL005",
    hdf5_with_groups_ten_thousand_deep: "EL005",
    hdf5_with_a_group_inside_itself: "EL005",
    hdf5_weights_of_other_options: "EL006",
    a_zip_that_unpacks_to_much: "EL202",
    an_xz_that_unpacks_to_much: "EL202",
    an_xz_that_needs_four_gigabytes: "EL202",
    text_that_needs_four_gigabytes: "EL403",
    text_of_one_line_of_two_gigabytes: "EL404",
    a_text_cache_of_terabytes: "EL412",
    a_text_cache_that_points_beyond_its_words: "EL412",
    a_label_map_of_a_billion_laughs: "EL241",
    a_config_of_a_billion_laughs: "EL405",
}


NOT_MADE = "could not be made"


def _peak() -> int:
    """The most memory this process has had since its peak was last forgotten, in KB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak)


def main(folder: Path) -> None:
    readers = {}
    found = {}
    for make in CASES:
        own = folder / make.__name__
        own.mkdir()
        try:
            readers[make.__name__] = make(own)
        except OSError as err:  # HDF5 does not write every file in every version
            found[make.__name__] = (f"{NOT_MADE}: {err}", 0.0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name, read in readers.items():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
        before = _peak()
        try:
            read(folder / name)
            said = "was read"
        except (ValueError, FileNotFoundError, MemoryError) as err:
            said = f"{type(err).__name__}: {err}"[:300]
        found[name] = (said, round((_peak() - before) / 1024, 1))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
