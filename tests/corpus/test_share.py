"""A share of a train part: drawn once, nested, never empty."""

from pathlib import Path

import pytest
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.folder import write_share


@pytest.fixture
def train(tmp_path: Path) -> Path:
    docs = [
        Doc(Vocab(), words=[str(n), "x"], ents=["B-per", "O"], tags=["A", "B"]) for n in range(50)
    ]
    path = tmp_path / "train.spacy"
    DocBin(attrs=("ORTH", "TAG", "ENT_IOB", "ENT_TYPE"), docs=docs).to_disk(path)
    return path


def drawn(train: Path, percent: float, folder: Path) -> list[Doc]:
    path = write_share(train, percent, folder)
    assert path == folder / "train.spacy"
    assert [each.name for each in folder.iterdir()] == ["train.spacy"]
    return list(DocBin().from_disk(path).get_docs(Vocab()))


def test_shares_have_their_size_their_annotation_and_lie_in_one_another(train, tmp_path):
    shares = {share: drawn(train, share, tmp_path / str(share)) for share in (1, 10, 50, 100)}
    assert {share: len(docs) for share, docs in shares.items()} == {1: 1, 10: 5, 50: 25, 100: 50}
    numbers = {share: [doc[0].text for doc in docs] for share, docs in shares.items()}
    assert set(numbers[1]) < set(numbers[10]) < set(numbers[50]) < set(numbers[100])
    assert numbers[50] != sorted(numbers[50], key=int)
    for doc in shares[50]:
        assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [(0, 1, "per")]
        assert [token.tag_ for token in doc] == ["A", "B"]


def test_the_same_share_is_the_same_file(train, tmp_path):
    first, second = (write_share(train, 20, tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("percent", [0, -1, 100.5, float("nan")])
def test_what_is_no_share_is_refused(percent, train, tmp_path):
    with pytest.raises(ValueError, match="EL516"):
        write_share(train, percent, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_train_part_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"EL501.*none\.spacy"):
        write_share(tmp_path / "none.spacy", 10, tmp_path / "out")


def test_a_share_is_never_written_over_the_whole(train, tmp_path):
    before = train.read_bytes()
    for folder in (train.parent, train.parent / "x" / ".."):
        with pytest.raises(ValueError, match="EL517"):
            write_share(train, 50, folder)
    assert train.read_bytes() == before
