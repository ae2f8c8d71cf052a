"""A file's bytes decide its encoding, and a guess is said."""

import gzip
import lzma
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from spacy_elmo_ner.comparison.corpora import _corpus_name
from spacy_elmo_ner.corpus.encoding import decode
from spacy_elmo_ner.corpus.gmb import open_gmb, read_gmb
from spacy_elmo_ner.pipeline.compact import read_description

CSV = "Sentence #,Word,POS,Tag\r\nSentence: 1,Zoë,NNP,B-per\r\n,left,VBD,O\r\n,…,:,O\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_files_are_read_as_what_they_are(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(CSV.encode(encoding))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gmb = open_gmb(path)
    assert gmb.sentences[0].words == ("Zoë", "left", "…")
    assert gmb.encoding == encoding.removesuffix("-sig")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_needs_no_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(CSV.encode(encoding))
    gmb = open_gmb(path)
    assert gmb.sentences[0].words == ("Zoë", "left", "…")
    assert gmb.encoding == encoding


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
@pytest.mark.parametrize("name", ["own.csv", "own.CSV.XZ", "own.csv.gz", "own"])
def test_packed_files_are_known_by_their_bytes(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(CSV.encode()))
    assert open_gmb(path).sentences[0].words == ("Zoë", "left", "…")


def test_json_written_by_hand_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "corpus.json").write_text('{"name": "own"}', encoding="utf-8-sig")
    assert _corpus_name(tmp_path / "dev.spacy") == "own"
    meta = tmp_path / "meta.json"
    meta.write_text('{"license": "MIT"}', encoding="utf-8-sig")
    assert read_description(meta) == {"license": "MIT"}


def test_a_file_that_may_be_in_any_single_byte_encoding_is_said_to_be_guessed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(CSV.encode("cp1252"))
    with pytest.warns(UserWarning, match=r"WL401.*own\.csv.*Windows-1252: line 2 holds .*Zoë"):
        gmb = open_gmb(path)
    assert gmb.sentences[0].words == ("Zoë", "left", "…")
    assert gmb.encoding == "cp1252"


def test_ascii_alone_needs_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(CSV.replace("ë", "e").replace("…", "..."), encoding="ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_gmb(path).encoding == "ascii"


@pytest.mark.parametrize("broken", [b"\xc3", b"\xff", b"Zo\xeb", b"\xed\xa0\x80"])
def test_damaged_utf8_is_named_and_not_read_as_another_encoding(
    tmp_path: Path, broken: bytes
) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(CSV.encode() + b"," + broken + b",NNP,O\r\n")
    with pytest.raises(ValueError, match=r"EL204.*line 5: byte 0x.*utf-8.*Save the file as UTF-8"):
        read_gmb(path)


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "ascii"),
        ("naïve".encode(), "naïve", "utf-8"),
        ("日本".encode(), "日本", "utf-8"),
        ("naïve café “x”".encode("cp1252"), "naïve café “x”", "cp1252"),
        # One pair of bytes that happens to be UTF-8 makes no file of ordinary Windows-1252 one.
        ("Ã© é è".encode("cp1252"), "Ã© é è", "cp1252"),
    ],
)
def test_what_bytes_are_decoded_to(data: bytes, text: str, encoding: str) -> None:
    decoded = decode(data)
    assert (decoded.text, decoded.encoding) == (text, encoding)
    assert decoded.is_guess == (encoding == "cp1252")


def test_an_encoding_cut_short_is_an_error_that_names_it() -> None:
    with pytest.raises(UnicodeDecodeError, match="utf-16"):
        decode("word".encode("utf-16")[:-1])
