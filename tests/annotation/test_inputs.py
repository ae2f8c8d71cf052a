"""Every kind of file gives its texts and ids; what is no text becomes a row that says so."""

import csv
import gzip
import io
import json
import lzma
import random
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.annotation import inputs
from spacy_elmo_ner.annotation.input_files import KINDS, InputFile, find_inputs
from spacy_elmo_ner.annotation.inputs import Fields, read_inputs
from spacy_elmo_ner.annotation.texts import Text, cut
from spacy_elmo_ner.corpus.text_files import kind_of

TEXTS = ["Ann saw Rome.", "Ünïcode, “quotes”, 日本 😀", 'a "quoted", text;\twith\tmarks']


def read(path: Path, fields: Fields = Fields(), kind: str | None = None) -> list[Text]:  # noqa: B008
    return [text for text, _ in read_inputs(find_inputs([str(path)], kind), fields)]


def _write(path: Path) -> Path:
    """Write TEXTS as the kind of file that the name says, with ids a, b, c where it has any."""
    rows = [{"id": i, "text": text} for i, text in zip("abc", TEXTS, strict=True)]
    kind = kind_of(path)
    if kind == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    if kind == ".spacy":
        nlp = spacy.blank("en")
        docs = [nlp(text) for text in TEXTS]
        for doc, name in zip(docs, "abc", strict=True):
            doc.user_data["id"] = name
        DocBin(docs=docs, store_user_data=True).to_disk(path)
        return path
    if kind == ".txt":
        content = "\n\n".join(TEXTS) + "\n"
    elif kind == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        file = io.StringIO()
        writer = csv.writer(file, delimiter="\t" if kind == ".tsv" else ",")
        writer.writerows([["id", "text"], *((row["id"], row["text"]) for row in rows)])
        content = file.getvalue()
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "wt", encoding="utf8", newline="") as packed:
        packed.write(content)
    return path


@pytest.mark.parametrize("kind", [*KINDS, ".txt.gz", ".jsonl.xz", ".csv.gz", ".tsv.xz"])
def test_each_kind_of_file_gives_its_texts(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path / f"file{kind}")
    found = read(path)
    assert [text.text for text in found] == TEXTS
    if ".txt" in kind:  # lines without ids: their place is one
        assert [text.id for text in found] == [f"{path}:{line}" for line in (1, 3, 5)]
    else:
        assert [text.id for text in found] == ["a", "b", "c"]
    assert all(text.error is None for text in found)


@pytest.mark.parametrize("kind", [".txt", ".jsonl.gz", ".csv.xz", ".parquet", ".spacy"])
def test_the_bytes_read_grow_to_the_size_of_the_files(tmp_path: Path, kind: str) -> None:
    files = find_inputs([str(_write(tmp_path / f"{name}{kind}")) for name in "xy"])
    at = [position for _, position in read_inputs(files, Fields())]
    assert at == sorted(at) and at[-1] == sum(file.n_bytes for file in files)
    assert 0 < at[0] < at[-1]


def test_a_text_may_have_lines_and_blanks_around_it(tmp_path: Path) -> None:
    odd = "  two\nlines\r\nand a blank "
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": odd}) + "\n")
    assert read(path)[0].text == odd
    table = tmp_path / "a.csv"
    table.write_text('text\n"  two\nlines"\n\nlast\n')
    assert [text.text for text in read(table)] == ["  two\nlines", "last"]
    lines = tmp_path / "a.txt"
    lines.write_bytes(b"  keeps its blanks \r\n\r\n \t\nlast")
    assert [text.text for text in read(lines)] == ["  keeps its blanks ", "last"]


def test_whole_files_are_one_text_each(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    (tmp_path / "b.txt").write_text(" \n")
    found = read(tmp_path, Fields(whole_files=True))
    assert found == [Text(f"{tmp_path}/a.txt", "one\n\ntwo\n")]


def test_a_folder_gives_all_files_below_it_in_order_and_says_what_it_leaves_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "b").mkdir()
    _write(tmp_path / "b" / "z.txt")
    _write(tmp_path / "a.jsonl.gz")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "picture.png").write_text("x")
    with pytest.warns(UserWarning, match=r"WL601.*picture\.png") as warned:
        found = find_inputs([str(tmp_path)])
    assert [Path(file.name).name for file in found] == ["a.jsonl.gz", "z.txt"]
    assert ".hidden" not in str(warned[0].message)


def test_the_output_below_an_input_folder_is_not_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    out = tmp_path / "out"
    out.mkdir()
    _write(out / "annotations-00000.jsonl")
    assert [file.kind for file in find_inputs([str(tmp_path)], output=out)] == [".txt"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["missing.txt"], "EL600.*missing.txt"),
        (["a.png"], r"EL601.*\.parquet"),
        (["empty"], "EL602.*empty"),
        (["a.parquet.gz"], "EL603.*parquet"),
    ],
)
def test_what_cannot_be_an_input_is_refused(
    tmp_path: Path, names: list[str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name in ("a.png", "a.parquet.gz"):
        Path(name).write_bytes(b"x")
    with pytest.raises((ValueError, FileNotFoundError), match=code):
        find_inputs(names)
    assert find_inputs(["a.png"], ".txt") == [InputFile("a.png", ".txt", 1)]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.txt.gz", gzip.compress(b"text\n" * 9_000)[:-20], r"line \d+"),
        ("a.txt.gz", b"no gzip", "line 1"),
        ("a.jsonl.xz", lzma.compress(b'{"text": "x"}\n' * 9_000)[:-20], r"line \d+"),
        ("a.csv", b'text\n"open quote\nand on' + b"\n" * 9, "line 2"),
        ("a.parquet", b"no parquet", "line 1"),
    ],
)
def test_damage_is_named_with_its_place(
    tmp_path: Path, name: str, content: bytes, line: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"EL604.*{name}, {line}"):
        read(path)


def test_a_damaged_docbin_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    path.write_bytes(b"no docbin")
    with pytest.raises(ValueError, match="EL322"):
        read(path)


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_table_without_the_column_names_those_it_has(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path / f"a{kind}")
    with pytest.raises(ValueError, match=r"EL605.*'body'.*id, text.*--text-field"):
        read(path, Fields(text="body"))


def test_fields_may_have_other_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number; Body \n7;Ann saw Rome\n")
    assert read(path, Fields(text="Body", id="number")) == [Text("7", "Ann saw Rome")]
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"body": "Ann", "nr": 7}\n{"body": "Rome", "nr": null}\n')
    found = read(lines, Fields(text="body", id="nr"))
    assert found == [Text("7", "Ann"), Text(f"{lines}:2", "Rome")]


def test_one_line_that_is_no_text_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    bad = [b"{", b"[1]", b'{"text": 5}', b'{"text": "\\ud800"}', b'{"text": "\xff"}', b"[" * 99_999]
    path.write_bytes(b"\n".join([b'{"text": "first"}', *bad, b'{"text": "last", "id": "z"}']))
    found = read(path)
    assert [text.text for text in found] == ["first", *([None] * len(bad)), "last"]
    assert [text.id for text in found[1:-1]] == [f"{path}:{line}" for line in range(2, 8)]
    codes = [str(text.error)[1:6] for text in found[1:-1]]
    assert codes == ["EL608", "EL608", "EL608", "EL611", "EL611", "EL608"]
    assert "U+D800" in str(found[4].error) and "byte 0xff" in str(found[5].error)


def test_rows_of_another_width_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,fine\n2\n3,a,b\n4,fine\n")
    found = read(path)
    assert [text.text for text in found] == ["fine", None, None, "fine"]
    assert "EL609" in str(found[1].error) and "1 fields; expected 2" in str(found[1].error)


def test_parquet_without_a_text_is_an_error_in_its_row(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    table = pyarrow.table({"text": ["Ann", None], "id": [1, 2]})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    found = read(path)
    assert found[0] == Text("1", "Ann")
    assert found[1].id == "2" and "EL628" in str(found[1].error)


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"x")
    with pytest.raises(ModuleNotFoundError, match=r"EL606.*reading"):
        read(tmp_path / "a.parquet")


def test_a_text_without_end_is_an_error_and_not_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "LONGEST_TEXT", 1_000)
    path = tmp_path / "a.txt"
    path.write_text("short\n" + "x" * 5_000 + "\n" + "y" * 1_000 + "\n" + "z" * 1_001)
    found = read(path)
    assert [len(text.text or "") for text in found] == [5, 0, 1_000, 0]
    assert [text.id.rpartition(":")[2] for text in found] == ["1", "2", "3", "4"]
    assert all("EL610" in str(found[i].error) for i in (1, 3))
    whole = read(path, Fields(whole_files=True))
    assert len(whole) == 1 and "EL610" in str(whole[0].error)


def test_other_encodings_are_read_with_a_mark_and_named_without(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Zürich\nRome\n".encode("utf-16"))
    assert [text.text for text in read(path)] == ["Zürich", "Rome"]
    path.write_bytes("Zürich\nRome\n".encode("cp1252"))
    found = read(path)
    assert "EL611" in str(found[0].error) and "byte 0xfc" in str(found[0].error)
    assert found[1].text == "Rome"


def test_given_tokens_are_kept(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab, words=["can", "not", "."], spaces=[False, False, False])]
    docs.append(Doc(nlp.vocab, words=["New York", "!"]))
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    first, second = read(tmp_path / "a.spacy")
    assert (first.text, first.words, first.spaces) == ("cannot.", ["can", "not", "."], [False] * 3)
    assert (second.words, second.spaces) == (["New York", "!"], None)


def test_standard_input_gives_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "piped"
    path.write_text('{"text": "Ann"}\n{"text": "Rome"}\n')
    for kind, expected in ((None, '{"text": "Ann"}'), (".jsonl", "Ann")):
        with path.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            found = [text for text, _ in read_inputs(find_inputs(["-"], kind), Fields())]
        assert found[0].text == expected
        assert [text.id for text in found] == ["stdin:1", "stdin:2"]
    # Also where pyarrow is missing, which would not help.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for kind in (".spacy", ".parquet"):
        with pytest.raises(ValueError, match="EL607"):
            list(read_inputs([InputFile("-", kind, 0)], Fields()))


@pytest.mark.parametrize("kind", [".txt", ".jsonl.gz", ".csv"])
def test_memory_does_not_grow_with_the_input(tmp_path: Path, kind: str) -> None:
    """20 MB of texts pass through much less memory, cut into shards."""
    rows = [{"text": f"{i} " + "word " * 2_000} for i in range(2_000)]
    path = tmp_path / f"a{kind}"
    opener: Any = gzip.open if kind.endswith("gz") else open
    with opener(path, "wt", encoding="utf8") as file:
        if kind == ".csv":
            file.write("text\n")
        for row in rows:
            file.write((json.dumps(row) if "jsonl" in kind else row["text"]) + "\n")
    del rows
    files = find_inputs([str(path)])
    tracemalloc.start()
    try:
        n_texts = sum(len(shard.texts) for shard in cut(read_inputs(files, Fields()), 50))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_texts == 2_000
    assert most < 5_000_000


@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".csv", ".tsv", ".csv.gz", ".csv.xz"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n"])
def test_a_file_of_nothing_holds_no_texts(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / f"a{kind}"
    packers: dict[str, Any] = {".gz": gzip.compress, ".xz": lzma.compress}
    path.write_bytes(packers.get(path.suffix, bytes)(content))
    assert read(path) == []


def test_a_mark_of_order_is_no_part_of_the_first_text_or_name(tmp_path: Path) -> None:
    for name, content in (
        ("a.txt", "Zürich\n"),
        ("a.csv", "text,id\nZürich,1\n"),
        ("a.jsonl", '{"text": "Zürich"}\n\ufeff{"text": "Zürich"}\n'),
    ):
        for encoding in ("utf-8-sig", "utf-16", "utf-32"):
            path = tmp_path / name
            path.write_bytes(content.encode(encoding))
            assert {text.text for text in read(path)} == {"Zürich"}


def test_one_row_that_cannot_be_split_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"two\nlines ""x"""\n2,"He" said\n3,fine\n')
    found = read(path)
    assert [text.text for text in found] == ['two\nlines "x"', None, "fine"]
    assert "EL627] Line 4" in str(found[1].error)


def test_a_header_may_be_anything_that_csv_allows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for header in ('\n\nid,text,"long\nname"', 'id,"text",5" disk', "id , text, other\r"):
        path.write_text(header + "\n1,Ann,x\n2,,y\n", newline="")
        assert read(path) == [Text("1", "Ann"), Text("2", "")]
    path.write_text('id,"text\n1,Ann\n2,Rome\n')
    with pytest.raises(ValueError, match=r"EL604.*line 1.*quote of the header"):
        read(path)


def test_parquet_texts_of_other_types(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    write_table = pytest.importorskip("pyarrow.parquet").write_table
    path = tmp_path / "a.parquet"
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"Ann", b"\xff", b"x"]).buffers())
    for texts in (
        pa.array(["Ann", None, "x"], pa.large_string()),
        pa.array(["Ann", None, "x"]).dictionary_encode(),
        broken,
    ):
        write_table(pa.table({"text": texts}), path)
        found = read(path)
        assert [text.text for text in found] == ["Ann", None, "x"]
    assert "EL611" in str(found[1].error) and "byte 0xff" in str(found[1].error)
    write_table(pa.table({"text": [1, 2]}), path)
    assert ["EL628" in str(text.error) for text in read(path)] == [True, True]


def test_a_large_group_of_rows_is_not_in_memory(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    write_table = pytest.importorskip("pyarrow.parquet").write_table
    path = tmp_path / "a.parquet"
    rng = random.Random(0)
    texts = [f"{rng.getrandbits(8_000):x}" for _ in range(20_000)]
    write_table(pa.table({"text": texts}), path, row_group_size=20_000, use_dictionary=False)
    del texts
    assert path.stat().st_size > 20_000_000
    before = pa.total_allocated_bytes()
    most, n_texts = 0, 0
    for _ in read_inputs(find_inputs([str(path)]), Fields()):
        most = max(most, pa.total_allocated_bytes() - before)
        n_texts += 1
    assert n_texts == 20_000
    assert most < 10_000_000


def test_a_single_column_is_parted_as_the_name_says(tmp_path: Path) -> None:
    """A comma in a text is no delimiter in a .tsv file."""
    path = tmp_path / "a.tsv"
    path.write_text("text\nHello, world\n", encoding="utf8")
    (found,) = read(path)
    assert (found.text, found.error) == ("Hello, world", None)
