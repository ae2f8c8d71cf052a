"""Files and folders are written whole or not at all, whoever else writes them."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spacy_elmo_ner.files import (
    atomic_file,
    atomic_folder,
    is_out_of_room,
    make_output_folder,
    remove_folder,
    sha256_of,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["file"]


def test_threads_that_write_one_file_leave_one_of_theirs(tmp_path: Path) -> None:
    texts = [str(i) * 100_000 for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "file", text), texts * 4))
    assert (tmp_path / "file").read_text() in texts
    assert names(tmp_path) == ["file"]


def test_text_is_written_as_it_is_with_its_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "é\n\r\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "é\n\r\n".encode()


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name in ("old", "new"):
        with atomic_folder(folder) as staged:
            (staged / "deep").mkdir()
            (staged / "deep" / name).touch()
    assert names(folder / "deep") == ["new"]
    assert names(tmp_path) == ["folder"]


def test_a_folder_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_text(folder / "file", "old")
    with pytest.raises(ZeroDivisionError), atomic_folder(folder) as staged:
        (staged / "file").write_text("new")
        raise ZeroDivisionError
    assert (folder / "file").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_a_folder_reached_by_a_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "disk" / "real" / "file", "old")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "real", target_is_directory=True)
    with atomic_folder(tmp_path / "link") as staged:
        (staged / "file").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "real" / "file").read_text() == "new"


def test_a_rename_that_fails_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    write_text(folder / "file", "old")
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output"), atomic_folder(folder) as staged:
        (staged / "file").write_text("new")
    assert (folder / "file").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_a_removed_folder_is_gone(tmp_path: Path) -> None:
    write_text(tmp_path / "folder" / "file", "x")
    remove_folder(tmp_path / "folder")
    remove_folder(tmp_path / "never-there")
    assert names(tmp_path) == []


def test_sha256_is_that_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


def test_an_output_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert names(make_output_folder(tmp_path / "a" / "b")) == []


@pytest.mark.parametrize("below", ["", "deep", "deep/deeper"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"EL425.*file.*Choose another --output") as caught:
        make_output_folder(tmp_path / "file" / below)
    assert "room" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "is_full"),
    [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False), (errno.EROFS, False)],
)
def test_a_folder_that_takes_no_files_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_full: bool
) -> None:
    error = OSError(number, os.strerror(number))

    def refuse(path: Path, data: bytes) -> int:
        raise error

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError, match=f"EL425.*{os.strerror(number)}"):
        make_output_folder(tmp_path)
    assert is_out_of_room(error) == is_full


def test_an_empty_folder_in_which_one_stands_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    number = os.stat(".").st_ino
    with atomic_folder(".") as staged:
        write_text(staged / "below" / "file", "new")
    assert os.stat(tmp_path / "here").st_ino == number
    assert Path("below", "file").read_text() == "new"
    assert names(tmp_path) == ["here"]


def test_a_mount_point_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    rename = Path.rename

    def busy(path: Path, target: Path) -> Path:
        if folder in (path, target):
            raise OSError(errno.EBUSY, "Device or resource busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", busy)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == folder)
    with atomic_folder(folder) as staged:
        write_text(staged / "file", "new")
    assert (folder / "file").read_text() == "new"
    assert names(tmp_path) == ["mounted"]
