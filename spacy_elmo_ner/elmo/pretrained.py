"""Find biLMs by name: packaged here or in other packages, the official ones, and local files.

Official weights are looked for in a cache folder first and downloaded only if they are not
there. No sha256 of them was ever published: a file is checked against the shapes and the exact
number of parameters, its sha256 is recorded at first load, and a later mismatch is refused.
"""

import json
import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from ..download import download
from ..errors import Errors, Warnings
from ..files import atomic_file, sha256_of
from .hdf5 import read_hdf5
from .local_files import LocalFiles, local_files
from .options import BiLMOptions, CharCNNOptions, LSTMOptions
from .storage import OPTIONS_FILE, WEIGHTS_FILE, Weights, read_files

PACKAGED = Path(__file__).parent.parent / "data"
# Unlike Path.home(), this does not fail for a user without a home folder.
CACHE = Path(os.path.expanduser("~/.cache/spacy-elmo-ner"))

# Entry points of packages that bring a biLM: its name, and where they keep the path of its folder.
ENTRY_POINTS = "spacy_elmo_ner_bilms"

_BASE = "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo"
_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))


@dataclass(frozen=True)
class Official:
    """Describe an official biLM: the folder and file stem of its address, and its shape."""

    folder: str
    stem: str
    options: BiLMOptions

    def url(self, file: str) -> str:
        """Return the address of "options.json" or "weights.hdf5"."""
        return f"{_BASE}/{self.folder}/{self.stem}_{file}"


def _official(dim: int, projection_dim: int, n_highway: int, suffix: str = "") -> Official:
    shape = f"2x{dim}_{projection_dim}_2048cnn_{n_highway}xhighway{suffix}"
    options = BiLMOptions(
        CharCNNOptions(embedding_dim=16, filters=_FILTERS, n_highway=n_highway),
        LSTMOptions(dim=dim, projection_dim=projection_dim),
    )
    return Official(shape, f"elmo_{shape}", options)


OFFICIAL = {
    "elmo-small": _official(1024, 128, 1),
    "elmo-medium": _official(2048, 256, 1),
    "elmo-original": _official(4096, 512, 2),
    "elmo-original-5.5B": _official(4096, 512, 2, "_5.5B"),
}


def packaged_names() -> list[str]:
    """Return the names of the biLMs that ship in the package."""
    return sorted(path.parent.name for path in PACKAGED.glob(f"*/{WEIGHTS_FILE}"))


def installed_names() -> list[str]:
    """Return the names of the biLMs that other packages bring; saved pipelines hold their weights.

    Such a package lists each as an entry point of the group "spacy_elmo_ner_bilms", such as
    ``base-de = some_package:FOLDER``, where FOLDER is the path of a folder with its files.
    """
    return sorted(entry_points(group=ENTRY_POINTS).names)


def is_published(name: str) -> bool:
    """Tell whether everyone who has this package can get the weights by this name."""
    return name in OFFICIAL or name in packaged_names()


def read_options(name: str) -> BiLMOptions | None:
    """Return the shape of a biLM without reading its weights.

    None for a path that is not there: a saved pipeline may bring weights that once came from it.
    Raises ValueError for options that cannot be read, or for files that are no biLM.
    """
    if name in OFFICIAL:
        return OFFICIAL[name].options
    files = named_files(name)
    return None if files is None else files.read_options()


def read_pretrained(name: str, *, cache: Path | None = None) -> Weights:
    """Read weights by name, see `BiLM.from_pretrained`.

    cache: where official files are, or are downloaded to.
    """
    if name in OFFICIAL:
        return _read_official(name, (cache or CACHE) / name)
    files = files_with_weights(name)
    if files is None:
        names = ", ".join([*packaged_names(), *installed_names(), *OFFICIAL])
        raise ValueError(Errors.EL009.format(name=name, names=names))
    with files.unpacked() as (options, weights):
        if weights.suffix == ".safetensors":
            return read_files(options, weights)
        return read_hdf5(BiLMOptions.from_json(options), weights)


def is_hdf5(name: str) -> bool:
    """Tell whether the weights by this name are official HDF5 files, not safetensors."""
    if name in OFFICIAL:
        return True
    files = named_files(name)
    return files is not None and files.weights.suffix != ".safetensors"


def weights_key(name: str) -> str:
    """Return a key that no other weights have, nor these after a change of their file."""
    if is_published(name):
        return name
    files = files_with_weights(name)
    if files is None:
        return f"nothing at {name}"
    # The weights may be written anew while the old ones are in use.
    return f"{files.weights.resolve()} {files.weights.stat().st_mtime_ns}"


def published_sha256(name: str) -> str | None:
    """Return the sha256 of a published biLM's weights file; None for any other name."""
    if name in OFFICIAL:
        _fetch_official(name, CACHE / name)
        return _sha256(CACHE / name / "weights.hdf5")
    return _sha256(PACKAGED / name / WEIGHTS_FILE) if name in packaged_names() else None


def packaged_name(sha256: str) -> str | None:
    """Return the name of the packaged biLM whose weights file has this sha256, or None.

    A name may get better weights in a later version; those before it stay in the package under
    another name, so that saved pipelines keep loading.
    """
    for name in packaged_names():
        if _sha256(PACKAGED / name / WEIGHTS_FILE) == sha256:
            return name
    return None


def _sha256(path: Path) -> str:
    """Return `sha256_of`, without reading an unchanged file again."""
    status = path.stat()
    return _sha256_once(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _sha256_once(path: Path, mtime_ns: int, n_bytes: int) -> str:
    return sha256_of(path)


def named_files(name: str) -> LocalFiles | None:
    """Return the files of a biLM that is no official one; None where nothing has this name.

    name: of a biLM that a package brings, or a path. Raises ValueError as `local_files`.
    """
    if name in packaged_names():
        return local_files(PACKAGED / name)
    for installed in entry_points(group=ENTRY_POINTS, name=name):
        return local_files(Path(installed.load()))
    return local_files(Path(name))


def files_with_weights(name: str) -> LocalFiles | None:
    """Return `named_files`; None also where they lack the weights."""
    files = named_files(name)
    return files if files is not None and files.weights.is_file() else None


def _read_official(name: str, folder: Path) -> Weights:
    _fetch_official(name, folder)
    weights, record = folder / "weights.hdf5", folder / "sha256.json"
    sha256, recorded = _sha256(weights), _recorded_sha256(record)
    if recorded not in (None, sha256):
        message = Errors.EL011.format(path=weights, found=sha256, wanted=recorded, record=record)
        raise ValueError(message)
    options = BiLMOptions.from_json(folder / OPTIONS_FILE)
    expected = OFFICIAL[name].options
    if options.n_params != expected.n_params:
        message = Errors.EL010.format(
            path=folder / OPTIONS_FILE,
            found=options.n_params,
            name=name,
            expected=expected.n_params,
        )
        raise ValueError(message)
    read = read_hdf5(options, weights)
    if recorded is None:
        _record_sha256(record, sha256)  # only now: a damaged file must not be what counts
    return read


def _recorded_sha256(record: Path) -> str | None:
    """Return what `_record_sha256` wrote when the weights were first loaded, or None."""
    if not record.is_file():
        return None
    try:
        return str(json.loads(record.read_text(encoding="utf8"))["sha256"])
    except (ValueError, KeyError, TypeError) as err:
        raise ValueError(Errors.EL017.format(path=record, problem=repr(err))) from err


def _record_sha256(record: Path, sha256: str) -> None:
    try:
        with atomic_file(record) as path:
            path.write_text(json.dumps({"sha256": sha256}) + "\n", encoding="utf8")
    except OSError as err:  # a folder shared by many users is often read-only: no reason to fail
        warnings.warn(Warnings.WL001.format(path=record, problem=err), stacklevel=2)


def _fetch_official(name: str, folder: Path) -> None:
    official = OFFICIAL[name]
    # Four bytes per parameter, and room for HDF5's own bookkeeping.
    limits = {OPTIONS_FILE: 1 << 16, "weights.hdf5": 4 * official.options.n_params + (1 << 22)}
    for file, limit in limits.items():
        if not (folder / file).is_file():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                download(official.url(file), folder / file, limit)
            except (OSError, ValueError) as err:
                raise OSError(
                    Errors.EL014.format(
                        name=name, url=official.url(file), folder=folder, problem=err
                    )
                ) from err
