"""A -DOCSTART- line opens a document and is no sentence."""

from pathlib import Path

import pytest

from spacy_elmo_ner.corpus.gmb import read_gmb
from spacy_elmo_ner.corpus.sample import read_conll


@pytest.mark.parametrize(
    "line", ["-DOCSTART-\t-X-\tO", "-DOCSTART- -X- -X- O", "-DOCSTART- (1)\t_\tO", "-DOCSTART-"]
)
@pytest.mark.parametrize("gap", ["\n", ""])
def test_conll_files_keep_their_sentences_alone(tmp_path: Path, line: str, gap: str) -> None:
    path = tmp_path / "train.conll"
    rows = f"{line}\n{gap}Rome\tNNP\tB-geo\nfell\tVBD\tO\n{gap}{line}\n{gap}Yes\tUH\tO\n"
    path.write_text(rows, encoding="utf8")
    assert [each.words for each in read_conll(path)] == [("Rome", "fell"), ("Yes",)]
    assert [each.number for each in read_conll(path)] == [1, 2]


def test_a_file_of_document_starts_holds_no_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("-DOCSTART-\t-X-\tO\n\n-DOCSTART-\t-X-\tO\n")
    with pytest.raises(ValueError, match="EL224"):
        read_conll(path)


def test_a_word_that_begins_like_one_is_a_word(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("-DOCSTART-S\tNNP\tO\n")
    assert read_conll(path)[0].words == ("-DOCSTART-S",)


def test_csv_files_keep_their_sentences_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "Sentence #,Word,POS,Tag\nSentence: 1,-DOCSTART-,-X-,O\nSentence: 2,Rome,NNP,B-geo\n"
        "Sentence: 3,-DOCSTART-,-X-,O\n,fell,VBD,O\n"
    )
    assert [(each.number, each.words) for each in read_gmb(path)] == [
        (2, ("Rome",)),
        (3, ("fell",)),
    ]


def test_a_line_that_is_no_row_is_shown_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("word " * 100_000)
    with pytest.raises(ValueError, match="EL222") as caught:
        read_conll(path)
    assert len(str(caught.value)) < 500 + len(str(path))
    csv = tmp_path / "own.csv"
    csv.write_text("word, " * 100_000)
    with pytest.raises(ValueError, match="EL205") as caught:
        read_gmb(csv)
    assert len(str(caught.value)) < 800 + len(str(csv))
