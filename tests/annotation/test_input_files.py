"""Which files are read is never a surprise: none twice, none of the output, none that is hidden."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zipfile
from pathlib import Path

import pytest

from spacy_elmo_ner.annotation.input_files import find_inputs
from spacy_elmo_ner.annotation.inputs import Fields, read_inputs

from .conftest import Run, contents, rows_of


def names(*inputs: str | Path, output: Path | None = None) -> list[str]:
    return [file.name for file in find_inputs(map(str, inputs), output=output)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a.txt, and b/a.txt in it."""
    path = tmp_path / "texts"
    (path / "b").mkdir(parents=True)
    (path / "a.txt").write_text("Ann\n")
    (path / "b" / "a.txt").write_text("Rome\n")
    return path


def test_equal_names_in_several_folders_are_told_apart(run: Run, folder: Path) -> None:
    (folder / "ü 日本.txt").write_text("New York\n")
    run(folder)
    found = {row["id"]: row["text"] for row in rows_of(folder.parent / "out")}
    assert found == {
        f"{folder}/a.txt:1": "Ann",
        f"{folder}/b/a.txt:1": "Rome",
        f"{folder}/ü 日本.txt:1": "New York",
    }


def test_hidden_folders_are_not_read(folder: Path) -> None:
    for name in (".git", ".hidden"):
        (folder / name).mkdir()
        (folder / name / "x.txt").write_text("x\n")
    assert names(folder) == [f"{folder}/a.txt", f"{folder}/b/a.txt"]
    assert names(folder / ".git") == [f"{folder}/.git/x.txt"]  # it was asked for


def test_a_file_is_read_once_however_often_it_is_named(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder / "a.txt")
    with pytest.warns(UserWarning, match=r"WL603\] 3 inputs .*link\.txt"):
        found = names(folder / "a.txt", folder, folder / "b" / ".." / "a.txt")
    assert found == [f"{folder}/a.txt", f"{folder}/b/a.txt"]
    with pytest.warns(UserWarning, match=r"WL603.*stdin"):
        assert names("-", folder / "a.txt", "-") == ["-", f"{folder}/a.txt"]


def test_outputs_of_other_runs_are_not_read_with_a_folder(run: Run, folder: Path) -> None:
    run(folder, output=folder / "first")
    with pytest.warns(UserWarning, match=r"WL602.*texts: .*: first\."):
        run(folder, output=folder / "second")
    assert contents(folder / "first") == contents(folder / "second")
    assert names(folder / "first") == [f"{folder}/first/annotations-00000.jsonl"]


def test_nothing_is_read_where_it_would_be_written(run: Run, folder: Path) -> None:
    with pytest.raises(ValueError, match=r"EL625.*texts"):
        run(folder, output=folder)
    texts = folder / "annotations-00000.jsonl"
    texts.write_text('{"text": "Ann"}\n')
    for overwrite in (False, True):
        with pytest.raises(ValueError, match=r"EL625.*annotations-00000\.jsonl"):
            run(texts, output=folder, overwrite=overwrite)
    assert texts.read_text() == '{"text": "Ann"}\n'
    assert run(folder / "b", folder / "a.txt", output=folder, overwrite=True).n_texts == 2


def test_no_name_is_not_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(FileNotFoundError, match=r"EL600.*''"):
        find_inputs([""])
    assert names(".") == ["a.txt", "b/a.txt"]


def test_a_link_that_leads_nowhere_is_named(folder: Path) -> None:
    (folder / "gone.txt").symlink_to("nowhere.txt")
    with pytest.raises(FileNotFoundError, match=r"EL600.*gone\.txt"):
        find_inputs([str(folder)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    with pytest.warns(UserWarning, match=r"WL601.*pipe\.txt"):
        assert names(folder) == [f"{folder}/a.txt", f"{folder}/b/a.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_not_utf_8_is_read_and_shown(run: Run, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/old"
    os.mkdir(folder)
    for name in (b"caf\xe9.txt", b"caf\xe9.png"):
        with open(folder + b"/" + name, "wb") as file:
            file.write(b"Ann\n")
    with pytest.warns(UserWarning, match=r"WL601.*caf\\xe9\.png"):
        assert run(tmp_path / "old").n_errors == 0
    (row,) = rows_of(tmp_path / "out")
    assert row["id"] == f"{tmp_path}/old/caf\\xe9.txt:1" and row["text"] == "Ann"


def _zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("packing", "pack"),
    [("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress), ("zip", _zip)],
)
def test_packed_files_without_the_suffix_are_not_taken_for_text(
    tmp_path: Path, packing: str, pack: object
) -> None:
    assert callable(pack)
    for kind in (".txt", ".jsonl", ".csv"):
        path = tmp_path / f"texts{kind}"
        path.write_bytes(pack(b"Ann\n"))
        with pytest.raises(ValueError, match=rf"EL626.*{kind} is packed \({packing}\)"):
            list(read_inputs(find_inputs([str(path)]), Fields()))
    for suffix in (".bz2", ".zip"):
        (tmp_path / f"texts.txt{suffix}").write_bytes(pack(b"Ann\n"))
        with pytest.raises(ValueError, match="EL601"):
            find_inputs([str(tmp_path / f"texts.txt{suffix}")])


def test_a_file_may_have_the_name_of_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("Ann\n")
    (file,) = find_inputs(["./-"], kind=".txt")
    assert [text.text for text, _ in read_inputs([file], Fields())] == ["Ann"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_needs_no_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Zoë left.\nRome.\n".encode(encoding))
    (file,) = find_inputs([str(tmp_path / "a.txt")])
    assert [text.text for text, _ in read_inputs([file], Fields())] == ["Zoë left.", "Rome."]


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    from pyarrow.parquet import write_table

    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    write_table(table, tmp_path / "a.parquet")
    (file,) = find_inputs([str(tmp_path / "a.parquet")])
    with pytest.raises(ValueError, match=r"EL604.*a\.parquet.*2 columns have the name 'text'"):
        list(read_inputs([file], Fields()))


def test_a_csv_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,id,text\na,b,c\n")
    (file,) = find_inputs([str(tmp_path / "a.csv")])
    with pytest.raises(ValueError, match=r"EL604.*a\.csv.*2 columns have the name 'text'"):
        list(read_inputs([file], Fields()))
