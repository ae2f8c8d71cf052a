"""The same answer whatever else is going on."""

from pathlib import Path

from spacy.language import Language

from tests.conftest import random_bilm
from tests.fuzz.determinism import answers, compare, make_texts, vary_prediction, vary_training
from tests.fuzz.pipelines import make_pipeline

WAYS = [
    "the same again",
    "one Doc after another",
    "batches of 1",
    "batches of 7",
    "batches of 1000",
    "another order",
    "other Docs between them",
    "in a memory zone",
    "two processes, fork",
    "two processes, spawn",
    "2 threads",
    "4 threads",
    "after to_disk and load",
    "after to_bytes and from_bytes",
]


def test_nothing_that_is_varied_changes_an_answer(nlp: Language, tmp_path: Path) -> None:
    rows = list(vary_prediction(nlp, make_texts(4, n_long=3), tmp_path))
    assert [row.what for row in rows] == WAYS
    assert [row for row in rows if not row.holds] == []


def test_other_weights_would_have_been_noticed(nlp: Language, tmp_path: Path) -> None:
    random_bilm().to_disk(tmp_path / "bilm")
    other = make_pipeline(str(tmp_path / "bilm"), steps=1)
    text = "Mary Smith left Paris"
    same, different = (
        compare("weights", answers([nlp(text)]), answers([one(text)]), 0.0) for one in (nlp, other)
    )
    assert same.holds and same.max_diff == 0
    assert not different.holds and different.max_diff > 0 and different.n_other == 1


def test_training_with_a_seed_repeats_bit_for_bit(tmp_path: Path) -> None:
    random_bilm().to_disk(tmp_path / "bilm")
    rows = list(vary_training(str(tmp_path / "bilm"), tmp_path))
    assert len(rows) == 4
    assert [row for row in rows if not row.holds] == []
