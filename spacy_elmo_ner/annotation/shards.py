"""Keep the output folder: what is written to it, what is done, and whether a run may continue.

A shard's files are renamed into place, then a marker says that the shard is done. A run that was
killed leaves whole files and markers; the next one skips shards with a marker, after it has checked
that their texts are still the same.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..files import atomic_file, make_output_folder, remove_folder, sha256_of, write_text
from .exports import FORMATS, LabelStudio, is_written, label_studio_config
from .input_files import STATE
from .outputs import AnnotatedShard, Format, PipelineFacts
from .sorting import merge_runs
from .texts import Shard

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

LABEL_STUDIO_CONFIG = "label-studio-config.xml"
_MOST_ERRORS = 5


@dataclass
class Totals:
    """Sums up the shards that are done. errors: the first texts with an error."""

    n_shards: int = 0
    n_texts: int = 0
    n_words: int = 0
    n_errors: int = 0
    n_scored: int = 0
    n_bytes_read: int = 0
    labels: set[str] = field(default_factory=set)
    errors: list[tuple[str, str]] = field(default_factory=list)

    def add(self, marker: Mapping[str, Any]) -> None:
        """Add the numbers of one marker."""
        self.n_shards += 1
        for name in ("n_texts", "n_words", "n_errors", "n_scored"):
            setattr(self, name, getattr(self, name) + marker[name])
        self.n_bytes_read = max(self.n_bytes_read, marker["n_bytes_read"])
        self.labels.update(marker["labels"])
        self.errors += [(one, message) for one, message in marker["errors"]]
        del self.errors[_MOST_ERRORS:]


class OutputFolder:
    """Keeps the shards of one run. ``done`` maps numbers of shards to digests of their texts."""

    def __init__(self, path: Path, formats: Sequence[str], is_sorted: bool) -> None:
        self.path = path
        self.state = path / STATE
        self.formats: dict[str, Format] = {
            name: FORMATS[name](PipelineFacts("", ())) for name in formats
        }
        self.is_sorted = is_sorted
        self.totals = Totals()
        self.done: dict[int, str] = {}
        self._replaces_by: dict[str, Any] | None = None

    @contextmanager
    def opened(self, record: Mapping[str, Any], *, overwrite: bool) -> Iterator["OutputFolder"]:
        """Open the folder for one run, and no other at the same time.

        record: what decides about the output; it must be that of the run found there, if any.
        overwrite: begin anew; what is there goes when the first new part is ready. Raises
        ValueError for another run's folder (EL615) and a damaged state (EL617), FileExistsError
        for files of no run (EL616), RuntimeError where another run is at work (EL618), OSError
        where nothing can be written.
        """
        make_output_folder(self.path)
        self.state.mkdir(exist_ok=True)
        with _locked(self.state / "lock", self.path):
            plain = json.loads(json.dumps(record))
            self._replaces_by = plain if overwrite else None
            if not overwrite:
                self._start(plain)
            yield self

    def _start(self, record: dict[str, Any]) -> None:
        self._remove_unfinished()
        with self._writing():
            self._begin(record)

    @property
    def is_complete(self) -> bool:
        """Return whether the run that wrote here has finished."""
        return self._replaces_by is None and (self.state / "complete.json").exists()

    def save(self, shard: AnnotatedShard) -> None:
        """Write a shard's files and then its marker. Raises OSError (EL629)."""
        if self._replaces_by is not None:
            record, self._replaces_by = self._replaces_by, None
            self._clear()
            self._start(record)
        marker = {key: value for key, value in vars(shard).items() if key not in ("files", "run")}
        path = self.state / "shards" / f"{shard.number:05d}.json"
        with self._writing():
            for name, content in shard.files.items():
                self._write(self.path / self.formats[name].file_name(shard.number), content)
            if self.is_sorted:
                self._write(self._run(shard.number), shard.run)
            write_text(path, json.dumps(marker, ensure_ascii=False) + "\n")
        self._count(marker)

    def complete(self) -> None:
        """Write what needs all shards, then that the run is complete. Raises OSError (EL629)."""
        with self._writing():
            self._complete()

    def _complete(self) -> None:
        if self.is_sorted:
            runs = [self._run(number) for number in sorted(self.done)]
            merge_runs(runs, self.formats, self.path, self.state / "merge")
        if self._writes_config:
            config = label_studio_config(sorted(self.totals.labels))
            write_text(self.path / LABEL_STUDIO_CONFIG, config)
        totals = {**asdict(self.totals), "labels": sorted(self.totals.labels)}
        write_text(self.state / "complete.json", json.dumps(totals, indent=2) + "\n")
        shutil.rmtree(self.state / "runs", ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say of an error where it was, and that what is done is kept."""
        try:
            yield
        except OSError as error:
            if isinstance(error, FileExistsError):
                raise
            problem = error.strerror or str(error)
            raise type(error)(Errors.EL629.format(path=self.path, problem=problem)) from error

    def _begin(self, record: dict[str, Any]) -> None:
        path = self.state / "run.json"
        if not path.exists():
            if strangers := self._strangers():
                raise FileExistsError(Errors.EL616.format(path=self.path, file=strangers[0].name))
            self._clear_state()  # what --overwrite left there when it was killed
            write_text(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
            return
        before = _read(path)
        # Without a finished part, a run binds nobody: its command may have been a mistake.
        has_parts = self.is_complete or any((self.state / "shards").glob("*.json"))
        if has_parts and (different := _differences(before, record)):
            raise ValueError(Errors.EL615.format(path=self.path, different="; ".join(different)))
        if before != record:
            write_text(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        if self.is_complete:  # and was killed before it could delete them
            shutil.rmtree(self.state / "runs", ignore_errors=True)
        for path in sorted((self.state / "shards").glob("*.json")):
            marker = _read(path)
            if self._has_files(marker):
                self._count(marker)
            else:  # somebody moved or deleted them: they are made again
                (self.state / "complete.json").unlink(missing_ok=True)
                path.unlink()

    def _count(self, marker: Mapping[str, Any]) -> None:
        try:
            self.done[marker["number"]] = marker["digest"]
            self.totals.add(marker)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(Errors.EL617.format(path=self.state, problem=repr(error))) from error

    def _has_files(self, marker: Mapping[str, Any]) -> bool:
        """Return whether what a marker stands for is there; unknown once it was sorted."""
        number = marker.get("number")
        if not isinstance(number, int) or (self.is_sorted and self.is_complete):
            return True
        if self.is_sorted:
            return self._run(number).is_file()
        names = (form.file_name(number) for form in self.formats.values())
        return all((self.path / name).is_file() for name in names)

    def _run(self, number: int) -> Path:
        return self.state / "runs" / f"{number:05d}"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        with atomic_file(path) as temporary:
            temporary.write_bytes(content)

    def _own_files(self) -> list[Path]:
        """Return the files that this package writes; another run's formats may differ."""
        return sorted(filter(is_written, self.path.iterdir()))

    def _strangers(self) -> list[Path]:
        """Return files of no run that this one would replace or be mixed with."""
        config = self.path / LABEL_STUDIO_CONFIG
        return self._own_files() + ([config] if self._writes_config and config.exists() else [])

    @property
    def _writes_config(self) -> bool:
        return any(isinstance(form, LabelStudio) for form in self.formats.values())

    def _remove_unfinished(self) -> None:
        """Delete the temporary files of a run that was killed while it wrote them."""
        names = [f"{form.stem}-[0-9]*{form.suffix}" for form in FORMATS.values()]
        # The last is how `make_output_folder` tries whether it may write.
        for name in (*names, LABEL_STUDIO_CONFIG, "[0-9]*-[0-9]"):
            for path in self.path.glob(f".{name}*.tmp"):
                path.unlink()
        for path in self.state.rglob(".*.tmp"):
            path.unlink()

    def _clear(self) -> None:
        # The record goes first: without it nothing here is taken for a run's.
        (self.state / "run.json").unlink(missing_ok=True)
        self._clear_state()
        (self.path / LABEL_STUDIO_CONFIG).unlink(missing_ok=True)
        for path in self._own_files():
            path.unlink()

    def _clear_state(self) -> None:
        for name in ("shards", "runs", "merge"):
            remove_folder(self.state / name)
        (self.state / "complete.json").unlink(missing_ok=True)


def pending(shards: Iterable[Shard], done: Mapping[int, str]) -> Iterator[Shard]:
    """Yield the shards that are not done.

    Raises ValueError (EL619) where the texts of one that is done are no longer those it was made
    of, or where the inputs no longer have it.
    """
    n_shards = 0
    for shard in shards:
        n_shards += 1
        if shard.number not in done:
            yield shard
        elif shard.digest() != done[shard.number]:
            raise changed(shard)
    if done and max(done) >= n_shards:
        raise ValueError(Errors.EL619.format(number=max(done), first="none: the input is shorter"))


def changed(shard: Shard) -> ValueError:
    """Return the error (EL619) that a shard is not what it was when the run began."""
    return ValueError(Errors.EL619.format(number=shard.number, first=shard.texts[0].id))


def digest_of_pipeline(path: Path) -> str:
    """Return a sha256 of the names and contents of all files of a pipeline."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            name = file.relative_to(path).as_posix()
            digest.update(f"{name} {sha256_of(file)}\n".encode())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise ValueError("it is no JSON object")
        return value
    except (ValueError, RecursionError) as error:
        raise ValueError(Errors.EL617.format(path=path, problem=error)) from error


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say which settings have another value than before.

    Inputs may have others: a damaged file may have been restored or left out. Whether the texts of
    shards that are done are still the same is told by their digests.
    """
    names = [name for name in dict.fromkeys((*before, *now)) if name != "inputs"]
    return [
        f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"
        for name in names
        if before.get(name) != now.get(name)
    ]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}..."


@contextmanager
def _locked(path: Path, folder: Path) -> Iterator[None]:
    """Hold a lock that the system releases when this process ends, however it ends."""
    with path.open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RuntimeError(Errors.EL618.format(path=folder)) from error
        yield
