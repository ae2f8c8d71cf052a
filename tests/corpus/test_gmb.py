"""The CSV as it stands, and one clear error for each way it can be broken."""

import hashlib
import lzma
import zipfile
from pathlib import Path

import pytest

from spacy_elmo_ner.corpus.gmb import GMBFile, GMBSentence, open_gmb, read_gmb

from .conftest import HEADER, WriteCsv

ROWS = (
    "Sentence: 1,None,NN,O\r\n"
    ',…,",",O\r\n'
    ',"""",``,O\r\n'
    "Sentence: 2,5\xa0storm,NN,B-nat\r\n"
    ',"10,000",CD,I-nat\r\n'
)
SENTENCES = [
    GMBSentence(1, ("None", "…", '"'), ("NN", ",", "``"), ("O", "O", "O")),
    GMBSentence(2, ("5\xa0storm", "10,000"), ("NN", "CD"), ("B-nat", "I-nat")),
]


def test_every_cell_is_taken_for_what_it_is(write_csv: WriteCsv) -> None:
    assert read_gmb(write_csv(ROWS)) == SENTENCES


def test_a_blank_word_is_a_word(write_csv: WriteCsv) -> None:
    (only,) = read_gmb(write_csv("Sentence: 1,,NN,O\r\n, ,NN,B-org\r\n,x,NN,O\r\n"))
    assert only.words == ("", " ", "x")
    assert only.ents == ("O", "B-org", "O")


def test_packed_files_read_like_the_plain_one(write_csv: WriteCsv, tmp_path: Path) -> None:
    plain = write_csv(ROWS)
    packed = tmp_path / "ner_dataset.csv.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    archive = tmp_path / "entity-annotated-corpus.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("__MACOSX/corpus/._ner_dataset.csv", b"file attributes")
        file.write(plain, "corpus/ner_dataset.csv")
    expected = open_gmb(plain)
    assert expected.sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()
    for path in (packed, archive):
        assert open_gmb(path) == GMBFile(path, expected.sha256, SENTENCES, "cp1252")


def test_a_name_repeated_on_each_row_makes_no_new_sentence(write_csv: WriteCsv) -> None:
    rows = "Sentence: 1,a,DT,O\nSentence: 1,dog,NN,O\nSentence: 2,barks,VBZ,O\n"
    assert [each.words for each in read_gmb(write_csv(rows))] == [("a", "dog"), ("barks",)]


def test_another_file_is_accepted_and_known_to_be_another(write_csv: WriteCsv) -> None:
    assert not open_gmb(write_csv(ROWS)).is_published


def test_the_published_file_is_read_whole(published: GMBFile) -> None:
    assert published.is_published
    assert [each.number for each in published.sentences] == list(range(1, 47_960))
    words = [word for each in published.sentences for word in each.words]
    assert len(words) == 1_048_575
    assert words.count("None") == 10
    assert words.count("…") == 4
    assert not any(not word.strip() for word in words)
    assert len({tag for each in published.sentences for tag in each.tags}) == 42
    assert len({ent for each in published.sentences for ent in each.ents}) == 17


GOOD = "Sentence: 1,a,DT,O\r\n"


@pytest.mark.parametrize(
    ("rows", "code", "line", "value"),
    [
        (GOOD + ",dog,NN\r\n", "EL206", 3, "'dog', 'NN'"),
        (GOOD + ",dog,NN,O,O\r\n", "EL206", 3, "5 columns"),
        (GOOD + "\r\n" + GOOD, "EL206", 3, "0 columns"),
        (GOOD + ',"dog"s,NN,O\r\n', "EL207", 3, "expected after"),
        (GOOD + ',"dog,NN,O\r\n', "EL207", 3, "unexpected end"),
        (GOOD + ",dog,NN,B-animal\r\n", "EL208", 3, "'B-animal'"),
        (GOOD + ",dog,NN,\r\n", "EL208", 3, "''"),
        (",dog,NN,O\r\n" + GOOD, "EL209", 2, "'dog'"),
        (GOOD + ",dog,,O\r\n", "EL210", 3, "['dog', '']"),
        (GOOD + ',"dog\r\ncat",NN,O\r\n', "EL210", 4, "dog"),
        (GOOD + "Sentence,dog,NN,O\r\n", "EL211", 3, "'Sentence'"),
        (GOOD + "Sentence: 0,dog,NN,O\r\n", "EL211", 3, "'Sentence: 0'"),
        (GOOD + "Sentence: 2,a,DT,O\r\n" + GOOD, "EL211", 4, "'Sentence: 1'"),
    ],
)
def test_a_broken_row_is_named_with_its_line_and_value(
    write_csv: WriteCsv, rows: str, code: str, line: int, value: str
) -> None:
    path = write_csv(rows)
    with pytest.raises(ValueError) as caught:
        read_gmb(path)
    message = str(caught.value)
    assert message.startswith(f"[{code}] {path}, line {line}: ")
    assert value in message


def test_a_byte_outside_the_encoding_is_named_with_its_line(write_csv: WriteCsv) -> None:
    path = write_csv(ROWS)
    path.write_bytes(path.read_bytes().replace(b"5\xa0storm", b"5\x81storm"))
    with pytest.raises(ValueError, match=r"EL204.*line 5: byte 0x81"):
        read_gmb(path)


def test_another_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ner_dataset.csv"
    path.write_text("Sentence;Word;POS;Tag\r\n" + ROWS, encoding="cp1252")
    with pytest.raises(ValueError, match=r"EL205.*Sentence;Word.*Sentence #,Word,POS,Tag"):
        read_gmb(path)


@pytest.mark.parametrize("content", ["", HEADER])
def test_a_file_without_words_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ner_dataset.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="EL203"):
        read_gmb(path)


def test_a_truncated_or_wrong_archive_is_refused(write_csv: WriteCsv, tmp_path: Path) -> None:
    data = write_csv(ROWS).read_bytes()
    packed = tmp_path / "cut.csv.xz"
    packed.write_bytes(lzma.compress(data)[:-20])
    archive, cut = tmp_path / "whole.zip", tmp_path / "cut.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ner_dataset.csv", data)
    cut.write_bytes(archive.read_bytes()[:-30])
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(archive.read_bytes().replace(archive.read_bytes()[50:60], b"0123456789"))
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("readme.txt", "hello")
    for path in (packed, cut, damaged, other):
        with pytest.raises(ValueError, match="EL202") as caught:
            read_gmb(path)
        assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"EL201.*nowhere\.csv.*elmo assets"):
        read_gmb(tmp_path / "nowhere.csv")
