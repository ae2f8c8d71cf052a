import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.pretraining import files
from spacy_elmo_ner.pretraining.files import (
    find_text_files,
    read_json_lines,
    read_lines,
    read_sentences,
)

NLP = spacy.blank("en")


def test_lines_are_read_plain_and_packed(tmp_path: Path) -> None:
    data = "\ufeffOne line.\r\n\n   \nÄ second “one”.".encode()
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(data))
    for name in ("a.txt", "a.txt.gz", "a.txt.xz"):
        assert list(read_lines(tmp_path / name)) == ["One line.", "Ä second “one”."]


@pytest.mark.parametrize(
    ("name", "data", "line", "problem"),
    [
        ("a.txt", b"fine\nfine\nna\xefve\n", 3, "byte 0xef"),
        ("a.txt", b"fine\n\xc3", 2, "byte 0xc3"),
        ("a.txt", "fine\n".encode("utf-16"), 1, "byte 0xff"),
        ("a.txt", b"fine\na\0b\n", 2, "byte 0x00"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0", 1, "byte 0x89"),
        ("a.txt.gz", b"plain text\n", 1, "gzip"),
        ("a.txt.gz", gzip.compress(b"fine\n" * 1000)[:-20], 1, "ended"),
        ("a.txt.gz", gzip.compress(b"fine\n")[:10] + b"\xff" * 30, 1, "invalid"),
        ("a.txt.xz", b"plain text\n", 1, "format"),
        ("a.txt.xz", lzma.compress(b"fine\n" * 1000)[:-30], 1, "ended"),
    ],
)
def test_what_is_not_text_is_named_with_its_line(
    tmp_path: Path, name: str, data: bytes, line: int, problem: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"EL403.*{name}, line \d+.*{problem}") as caught:
        list(read_lines(tmp_path / name))
    if name == "a.txt":
        assert f"line {line}:" in str(caught.value)


def test_one_enormous_line_is_refused_without_reading_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LONGEST_LINE", 1000)
    (tmp_path / "a.txt").write_bytes(b"x" * 999 + b"\n" + b"y" * 5_000_000)
    lines = read_lines(tmp_path / "a.txt")
    assert next(lines) == "x" * 999
    with pytest.raises(ValueError, match=r"EL404.*a\.txt, line 2: more than 1000"):
        next(lines)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"EL401.*{path.name}"):
            list(read_lines(path))


def test_a_folder_stands_for_the_text_files_below_it(tmp_path: Path) -> None:
    (tmp_path / "texts" / "deep").mkdir(parents=True)
    (tmp_path / "texts" / "folder.txt").mkdir()
    names = ["b.txt", "a.txt.gz", "deep/c.txt.xz", "notes.md"]
    for name in names:
        (tmp_path / "texts" / name).touch()
    with pytest.warns(UserWarning, match=r"WL402.*notes\.md"):
        found = find_text_files([tmp_path / "other.md", tmp_path / "texts"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "other.md",
        "texts/a.txt.gz",
        "texts/b.txt",
        "texts/deep/c.txt.xz",
    ]


def test_a_folder_without_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL413.*\.txt, \.jsonl, \.spacy, \.gz, \.xz"):
        find_text_files([tmp_path])


def _write_docs(path: Path, *docs: Doc) -> None:
    DocBin(docs=docs).to_disk(path)


@pytest.mark.parametrize(
    ("name", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)]
)
def test_json_lines_hold_texts_of_one_or_more_paragraphs(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    rows = [{"text": "She didn't go.", "meta": {"text": 3}}, {"text": "\n One\r\n\nTwo. \n"}]
    path = tmp_path / f"a.jsonl{name}"
    path.write_bytes(pack(("\n\n".join(map(json.dumps, rows)) + "\n").encode()))
    assert list(read_json_lines(path)) == ["She didn't go.", "One", "Two."]
    words = [["She", "did", "n't", "go", "."], ["One"], ["Two", "."]]
    assert list(read_sentences(path, NLP)) == words


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("plain text", "Expecting value"),
        ('{"text": "cut', "Unterminated"),
        ('["a text"]', "is no object"),
        ('{"tokens": ["a"]}', 'is no object with a "text"'),
        ('{"text": 3}', 'is no object with a "text"'),
        ('{"text": null}', 'is no object with a "text"'),
        (r'{"text": "half \ud83d"}', r"holds U\+D83D"),
        (r'{"text": "zero \u0000"}', r"holds U\+0000"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_json_text_is_named_with_its_line(
    tmp_path: Path, line: str, problem: str
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"EL415.*a\.jsonl, line 3: .*{problem}.*Write one JSON"):
        list(read_json_lines(tmp_path / "a.jsonl"))


def test_binary_data_named_jsonl_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\x89PNG\r\n\xff")
    with pytest.raises(ValueError, match=r"EL403.*a\.jsonl, line 1"):
        list(read_json_lines(tmp_path / "a.jsonl"))


def test_docs_keep_their_own_words_and_sentences(tmp_path: Path) -> None:
    whole = Doc(Vocab(), words=["do not", " ", "split", "it's", "a\nb"])
    cut = Doc(Vocab(), words=["Hi", ".", "You", "go"], sent_starts=[True, False, True, False])
    _write_docs(tmp_path / "a.spacy", whole, cut, Doc(Vocab()))
    assert list(read_sentences(tmp_path / "a.spacy", NLP)) == [
        ["do not", "split", "it's", "a b"],
        ["Hi", "."],
        ["You", "go"],
    ]


@pytest.mark.parametrize("content", [b"", b"plain text", b"x\x9c\x03\0\0\0\0\x01"])
def test_a_damaged_doc_bin_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.spacy").write_bytes(content)
    with pytest.raises(ValueError, match=r"EL322.*a\.spacy"):
        list(read_sentences(tmp_path / "a.spacy", NLP))


def test_a_doc_bin_cut_short_or_altered_is_read_or_named(tmp_path: Path) -> None:
    _write_docs(tmp_path / "whole.spacy", Doc(Vocab(), words=["a", "word"] * 20))
    whole = (tmp_path / "whole.spacy").read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "cut.spacy").write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"EL322.*cut\.spacy"):
            list(read_sentences(tmp_path / "cut.spacy", NLP))


def test_a_missing_doc_bin_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"EL401.*none\.spacy"):
        list(read_sentences(tmp_path / "none.spacy", NLP))
