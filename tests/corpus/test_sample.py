"""The format people edit: what it takes, and how it says what is wrong."""

from pathlib import Path

import pytest

from spacy_elmo_ner.corpus.gmb import GMBSentence
from spacy_elmo_ner.corpus.sample import read_conll, read_sample

from .conftest import numbered
from .conll import write_conll

TEXT = "# by hand\n\nRome\tNNP\tB-geo\n# inside a sentence\n#\t#\tO\n\n\nfell\tVBD\tO"
SENTENCES = [
    GMBSentence(1, ("Rome", "#"), ("NNP", "#"), ("B-geo", "O")),
    GMBSentence(2, ("fell",), ("VBD",), ("O",)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.conll"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_comments_and_blank_lines_are_no_words(path: Path, line_end: str, encoding: str) -> None:
    path.write_bytes(TEXT.replace("\n", line_end).encode(encoding))
    assert read_conll(path) == SENTENCES


def test_what_is_written_is_read_again(path: Path) -> None:
    # Characters at which str.splitlines would break a word in two.
    words = ("5\xa0storm", "a\u2028b", "c\x85d")
    sentences = [*SENTENCES, GMBSentence(3, words, ("NN",) * 3, ("O",) * 3)]
    write_conll(path, sentences, comment="Ours.\nSecond line.")
    assert path.read_text(encoding="utf8").startswith("# Ours.\n# Second line.\n\nRome\tNNP\t")
    assert read_conll(path) == sentences


def test_a_folder_is_a_split(tmp_path: Path) -> None:
    for part, n in (("train", 3), ("dev", 2), ("test", 1)):
        write_conll(tmp_path / f"{part}.conll", numbered(n))
    assert read_sample(tmp_path).sizes == (3, 2, 1)


@pytest.mark.parametrize(
    ("line", "code", "value"),
    [
        ("Rome NNP B-geo", "EL222", "'Rome NNP B-geo'"),
        ("Rome\tNNP", "EL222", "Rome"),
        ("Rome\tNNP\tO\tO", "EL222", "Rome"),
        ("\tNNP\tO", "EL222", "NNP"),
        ("Rome\t\tO", "EL222", "Rome"),
        ("Rome\tNNP\tgeo", "EL223", "'geo'"),
        ("Rome\tNNP\tB-", "EL223", "'B-'"),
        ("Rome\tNNP\tO ", "EL223", "'O '"),
    ],
)
def test_a_broken_line_is_named(path: Path, line: str, code: str, value: str) -> None:
    path.write_text(f"# one\nIt\tPRP\tO\n{line}\n", encoding="utf8")
    with pytest.raises(ValueError) as caught:
        read_conll(path)
    assert str(caught.value).startswith(f"[{code}] {path}, line 3: ")
    assert value in str(caught.value)


def test_a_byte_that_is_not_utf8_is_named_with_its_line(path: Path) -> None:
    path.write_bytes(b"It\tPRP\tO\n\xe9\tNN\tO\n")
    with pytest.raises(ValueError, match=r"EL221.*line 2: byte 0xe9"):
        read_conll(path)


def test_a_file_without_sentences_is_refused(path: Path) -> None:
    path.write_text("# nothing yet\n\n", encoding="utf8")
    with pytest.raises(ValueError, match=r"EL224.*train\.conll"):
        read_conll(path)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"EL220.*train\.conll"):
        read_sample(tmp_path)
