"""Write files and folders whole or not at all; tell what a file holds by its sha256.

Everything is written under a temporary name beside its place and renamed when it is on the disk,
so that an interrupted write leaves what was there before.
"""

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Errors

# Errors that more room on the disk would fix.
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` only if the block succeeds."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{_own_number()}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _own_number() -> str:
    """Return what no other thread or process has in its temporary names."""
    return f"{os.getpid()}-{threading.get_ident()}"


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text as an `atomic_file`, with its lines as they are; makes missing folders."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")


@contextmanager
def atomic_folder(folder: str | Path) -> Iterator[Path]:
    """Yield a new folder beside ``folder``; it takes its place only if the block succeeds.

    If the process is killed between the two renames, the old folder is left as ``.NAME.old``, and
    the next write cleans up. Raises OSError if it cannot be written; what was there before stays.
    """
    folder = Path(os.path.realpath(folder))  # a link is followed: its target is replaced
    staged, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(parents=True)
        yield staged
        for path in staged.rglob("*"):
            if path.is_file():
                sync(path)
        # A mount point cannot be renamed, and a shell would be left standing in a deleted folder.
        is_empty = folder.is_dir() and not any(folder.iterdir())
        is_fixed = is_empty and (os.path.ismount(folder) or os.path.samefile(folder, "."))
        place = _fill if is_fixed else _replace
        try:
            place(folder, staged, old)
        except KeyboardInterrupt:  # an instant later one of both is in place
            place(folder, staged, old)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def _fill(folder: Path, staged: Path, old: Path) -> None:
    """Move all files into an empty folder; it can be called again after an interruption."""
    for path in sorted(staged.iterdir()):
        path.rename(folder / path.name)


def _replace(folder: Path, staged: Path, old: Path) -> None:
    """Rename both folders; it can be called again after an interruption."""
    if not staged.exists():
        return
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    try:
        staged.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


def remove_folder(folder: Path) -> None:
    """Delete a folder under another name, so that a half-deleted one never has its name."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
        shutil.rmtree(old)


def sync(path: Path) -> None:
    """Return when what was written to a file is on the disk."""
    with path.open("r+b") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())


def readable_name(name: str | Path) -> str:
    """Return a file's name as text that can be encoded; bytes that are not UTF-8 become \\xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def sha256_of(path: str | Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_output_folder(folder: str | Path) -> None:
    """Raise OSError (EL425) where a file has the name of this folder or of one above; make nothing.

    For commands that leave no folder behind when their input is at fault.
    """
    folder = Path(folder)
    for place in (folder, *folder.parents):
        if place.exists():
            if not place.is_dir():
                raise NotADirectoryError(Errors.EL425.format(path=place, problem="it is a file"))
            return


def make_output_folder(folder: str | Path) -> Path:
    """Make a folder for output, with its parents, and check that files can be written there.

    Call it before long work. Raises OSError (EL425) that names the obstacle: a file of this name, a
    folder without permission to write, a full disk.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        attempt = folder / f".{_own_number()}.tmp"
        attempt.write_bytes(b"-")
        attempt.unlink(missing_ok=True)
    except FileExistsError as err:
        raise NotADirectoryError(Errors.EL425.format(path=folder, problem="it is a file")) from err
    except OSError as err:
        problem = err.strerror or str(err)
        raise type(err)(Errors.EL425.format(path=folder, problem=problem)) from err
    return folder


def is_out_of_room(error: OSError) -> bool:
    """Tell whether a write failed because the disk, or the user's share of it, is full."""
    return error.errno in _NO_ROOM
