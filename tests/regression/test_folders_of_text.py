"""No file of a folder is left out without a word."""

import os
import warnings
from pathlib import Path

import pytest

from spacy_elmo_ner.pretraining.files import find_text_files, read_lines


def test_files_left_out_are_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.txt", "b.md", "deep/c.csv", "deep/d", "e.pdf", ".DS_Store"):
        (tmp_path / name).touch()
    with pytest.warns(UserWarning, match=r"WL402.*1 of 5 files.*: b\.md, deep/c\.csv, .*e\.pdf\."):
        found = find_text_files([tmp_path])
    assert found == [tmp_path / "a.txt"]


def test_of_many_files_left_out_the_rest_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    for number in range(1005):
        (tmp_path / f"{number:04}.md").touch()
    with pytest.warns(UserWarning, match=r"1 of 1006 files.*0004\.md and 1,000 more\."):
        find_text_files([tmp_path])


def test_a_folder_of_text_alone_is_read_without_a_word(tmp_path: Path) -> None:
    names = ["A.TXT", "b.Txt.GZ", "c.jsonl", "d.spacy"]
    for name in names:
        (tmp_path / name).touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [path.name for path in find_text_files([tmp_path])] == names


def test_suffixes_in_upper_case_say_the_same(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "A.TXT.GZ"
    path.write_bytes(gzip.compress(b"One line.\n"))
    assert list(read_lines(path)) == ["One line."]


def test_links_to_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.txt").touch()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    (tmp_path / "texts" / "linked").symlink_to(tmp_path / "other", target_is_directory=True)
    (tmp_path / "texts" / "circle").symlink_to(tmp_path / "texts", target_is_directory=True)
    found = find_text_files([tmp_path / "texts"])
    assert [path.name for path in found] == ["a.txt", "b.txt"]


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    (gone,) = find_text_files([tmp_path])
    with pytest.raises(FileNotFoundError, match=r"EL401.*gone\.txt"):
        list(read_lines(gone))


def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="closed"):
        find_text_files([tmp_path])


def test_a_folder_and_a_link_to_it_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "a.txt").touch()
    (tmp_path / "b").symlink_to(tmp_path / "z", target_is_directory=True)
    (tmp_path / "c").symlink_to(tmp_path / "z", target_is_directory=True)
    assert find_text_files([tmp_path]) == [tmp_path / "z" / "a.txt"]
