"""Find the files to annotate: those named, and those in folders that hold texts."""

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpus.text_files import PACKED, files_below, is_packed, kind_of
from ..errors import Errors, Warnings
from ..files import readable_name
from .exports import is_written

KINDS = (".txt", ".jsonl", ".csv", ".tsv", ".parquet", ".spacy")
SUFFIXES = (*KINDS, *PACKED)
STANDARD_INPUT = "-"
# The folder in an output that holds the state of its run.
STATE = ".annotate"

_UNPACKABLE = (".parquet", ".spacy")
_MOST_NAMES = 5


@dataclass(frozen=True)
class InputFile:
    """Describes a file as it was named, by its size in bytes and what kind it is (".txt")."""

    name: str
    kind: str
    n_bytes: int

    @property
    def shown_name(self) -> str:
        """Return the name for ids and messages; bytes in it that are not UTF-8 become \\xe9."""
        return "stdin" if self.name == STANDARD_INPUT else readable_name(self.name)


def find_inputs(
    names: Iterable[str], kind: str | None = None, output: Path | None = None
) -> list[InputFile]:
    """Return the files of these names and of all folders among them, in order of name.

    kind: what every file holds (".jsonl"); by default each file's suffix says it, and standard
    input is plain text. output: the folder that is written to. Of a folder, hidden files, the
    output and the outputs of other runs are not read. Warns of other files in folders that are
    left out (WL601), of outputs (WL602) and of files named twice, which are read once (WL603).
    Raises FileNotFoundError (EL600); ValueError for a file of another kind (EL601), a folder
    without texts (EL602), a packed file of a kind that is packed already (EL603), and an input
    that the run would write to (EL625).
    """
    found = []
    for name in names:
        path = Path(name)
        if name == STANDARD_INPUT:
            found.append(InputFile(name, kind or ".txt", 0))
        elif not name or not path.exists():
            raise FileNotFoundError(Errors.EL600.format(path=readable_name(name) or "''"))
        elif output is not None and _would_be_written(path, output):
            raise ValueError(Errors.EL625.format(path=readable_name(name), output=output))
        elif path.is_dir():
            found += [_input(file, kind) for file in _in_folder(path, kind, output)]
        else:
            found.append(_input(path, kind))
    return _each_once(found)


def _would_be_written(path: Path, output: Path) -> bool:
    path, output = path.resolve(), output.resolve()
    return path == output or (path.parent == output and is_written(path))


def _in_folder(folder: Path, kind: str | None, output: Path | None) -> list[Path]:
    out = None if output is None else output.resolve()
    if out is not None and out in folder.resolve().parents:
        out = None  # all of this folder is in the output, where the run writes beside it
    found: list[Path] = []
    runs: set[Path] = set()
    for path in sorted(files_below(folder)):
        parts = path.relative_to(folder).parts
        if out is not None and out in path.resolve().parents:
            continue
        if STATE in parts[1:]:  # whoever names the folder of a run wants to read it
            runs.add(folder.joinpath(*parts[: parts.index(STATE)]))
        if not any(part.startswith(".") for part in parts):
            found.append(path)
    texts: list[Path] = []
    left: list[Path] = []
    for path in found:
        if runs.isdisjoint(path.parents):
            is_text = kind is not None or kind_of(path) in KINDS
            # A link that leads nowhere is an error later; a pipe would be waited for.
            readable_file = path.is_file() or not path.exists()
            (texts if is_text and readable_file else left).append(path)
    if not texts:
        raise ValueError(
            Errors.EL602.format(path=readable_name(folder), suffixes=", ".join(SUFFIXES))
        )
    if runs:
        names = _some([path.relative_to(folder) for path in sorted(runs)])
        _warn(Warnings.WL602.format(folder=readable_name(folder), names=names))
    if left:
        names = _some([path.relative_to(folder) for path in left])
        _warn(Warnings.WL601.format(folder=readable_name(folder), n=len(left), names=names))
    return texts


def _input(path: Path, kind: str | None) -> InputFile:
    kind = kind or kind_of(path)
    if kind not in KINDS:
        suffixes = ", ".join(SUFFIXES)
        raise ValueError(Errors.EL601.format(path=readable_name(path), suffixes=suffixes))
    if kind in _UNPACKABLE and is_packed(path):
        raise ValueError(Errors.EL603.format(path=readable_name(path), kind=kind))
    try:
        n_bytes = path.stat().st_size
    except FileNotFoundError as error:  # a link that leads nowhere
        raise FileNotFoundError(Errors.EL600.format(path=readable_name(path))) from error
    name = path.as_posix()
    return InputFile(f"./{name}" if name == STANDARD_INPUT else name, kind, n_bytes)


def _each_once(files: Iterable[InputFile]) -> list[InputFile]:
    once: dict[str, InputFile] = {}
    again: list[str] = []
    for file in files:
        place = file.name if file.name == STANDARD_INPUT else os.path.realpath(file.name)
        if once.setdefault(place, file) is not file:
            again.append(file.shown_name)
    if again:
        _warn(Warnings.WL603.format(n=len(again), names=_some(again)))
    return [*once.values()]


def _some(names: Sequence[str | Path]) -> str:
    listed = ", ".join(map(readable_name, names[:_MOST_NAMES]))
    more = len(names) - _MOST_NAMES
    return f"{listed} and {more:,} more" if more > 0 else listed


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)
