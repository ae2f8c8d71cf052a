"""Find the files of a biLM on this machine: in a folder, as a weights file or in a ZIP archive."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import Errors
from .options import MOST_BYTES, BiLMOptions
from .storage import OPTIONS_FILE, WEIGHTS_FILES, most_bytes, weights_file

_HDF5 = (".hdf5", ".h5")

# Files of ELMo models in formats we cannot read: what they are, and what to do.
_FOREIGN = {
    "encoder.pkl": (
        "an ELMoForManyLangs model",
        "its network differs from official ELMo's, and its weights are Python pickles",
        "Use a model in official ELMo's format: NLPL's repository has archives with model.hdf5 and "
        "options.json for many languages.",
    ),
    "checkpoint": (
        "a TensorFlow checkpoint of bilm-tf",
        "its weights are not exported yet",
        "Export it with bilm-tf's bin/dump_weights.py, and give the folder of the HDF5 file and "
        "options.json.",
    ),
}


@dataclass(frozen=True)
class LocalFiles:
    """Locate the options and weights of one biLM; both are the archive if it is a ZIP."""

    options: Path
    weights: Path

    @property
    def is_archive(self) -> bool:
        """Return whether both are in one ZIP archive."""
        return self.options == self.weights

    def read_options(self) -> BiLMOptions | None:
        """Return the shape of the biLM; None if the options file is missing.

        Raises ValueError for options that cannot be read.
        """
        if self.is_archive:
            with _opened(self.weights) as archive:
                return _options_in(archive, self.weights)
        return BiLMOptions.from_json(self.options) if self.options.is_file() else None

    @contextmanager
    def unpacked(self) -> Iterator[tuple[Path, Path]]:
        """Yield options and weights as separate files; those of an archive last for the block.

        Raises ValueError for an archive that cannot be unpacked or holds too many bytes.
        """
        if not self.is_archive:
            yield self.options, self.weights
            return
        with tempfile.TemporaryDirectory() as folder, _opened(self.weights) as archive:
            options = _options_in(archive, self.weights)
            options_path = Path(folder, OPTIONS_FILE)
            options.to_json(options_path)
            member = _member(archive, WEIGHTS_FILES, self.weights)
            weights_path = Path(folder, PurePosixPath(member.filename).name)
            _unpack(archive, member, weights_path, most_bytes(options), self.weights)
            yield options_path, weights_path


def local_files(path: Path) -> LocalFiles | None:
    """Return the files that a path stands for; None if there is neither a file nor a folder.

    path: a folder, whose weights may still be missing; a weights file beside its options; or a ZIP
    archive. ~ is the home folder. Raises ValueError for any other file, and for models in formats
    that cannot be read.
    """
    path = Path(os.path.expanduser(path))
    if path.is_dir():
        weights = weights_file(path)
        if weights is None:
            _refuse_foreign({file.name for file in path.iterdir()}, path)
        return LocalFiles(path / OPTIONS_FILE, weights or path / WEIGHTS_FILES[0])
    if not path.is_file():
        return None
    if path.suffix in (*_HDF5, ".safetensors"):
        return LocalFiles(options_beside(path), path)
    if zipfile.is_zipfile(path):
        return LocalFiles(path, path)
    raise ValueError(Errors.EL036.format(path=path))


def options_beside(weights: Path) -> Path:
    """Return the options of a weights file: official files share a stem, else options.json."""
    # elmo_..._weights.hdf5, elmo_..._options.json
    alike = weights.with_name(weights.name.replace("weights", "options")).with_suffix(".json")
    return alike if alike.is_file() else weights.with_name(OPTIONS_FILE)


def _refuse_foreign(names: set[str], path: Path) -> None:
    for marker, (what, problem, do) in _FOREIGN.items():
        if marker in names:
            raise ValueError(Errors.EL037.format(path=path, what=what, problem=problem, do=do))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as err:
        raise ValueError(Errors.EL038.format(path=path, problem=err)) from err
    with archive:
        yield archive


def _options_in(archive: zipfile.ZipFile, path: Path) -> BiLMOptions:
    member = _member(archive, (OPTIONS_FILE,), path)
    source = f"{path}/{member.filename}"
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, OPTIONS_FILE)
        _unpack(archive, member, unpacked, MOST_BYTES, path)
        return BiLMOptions.from_json(unpacked, source=source)


def _member(archive: zipfile.ZipFile, names: tuple[str, ...], path: Path) -> zipfile.ZipInfo:
    """Return the member with the first of these names, in any folder of the archive."""
    by_name = {PurePosixPath(info.filename).name: info for info in reversed(archive.infolist())}
    for name in names:
        if name in by_name:
            return by_name[name]
    _refuse_foreign(set(by_name), path)
    raise ValueError(Errors.EL038.format(path=path, problem=f"it holds no {' or '.join(names)}"))


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path, most: int, path: Path
) -> None:
    """Write one member to a file. Raises ValueError for damage and for more than most bytes."""
    try:
        # An archive's own figure may be wrong: what counts is what comes out.
        with archive.open(member) as source, to.open("wb") as file:
            left = most
            while block := source.read(min(1 << 20, left + 1)):
                left -= len(block)
                if left < 0:
                    raise ValueError(f"{member.filename} has more than {most:,} bytes")
                file.write(block)
    # Encrypted members are a RuntimeError, unknown packings a NotImplementedError.
    except (ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as err:
        raise ValueError(Errors.EL038.format(path=path, problem=err)) from err
