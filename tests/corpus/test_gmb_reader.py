"""The reader as a training config names it."""

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy import registry

from spacy_elmo_ner.corpus.gmb_reader import create_gmb_reader

from .conftest import WriteCsv, sentence
from .conll import write_conll


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ents = ["B-geo", *["O"] * 49, "B-per", "I-per"]
    for part in ("train", "dev", "test"):
        sentences = [sentence(1, ["w"] * 52, ents), sentence(2, [part, ".", "…"])]
        write_conll(tmp_path / f"{part}.conll", sentences)
    return tmp_path


def test_predicted_docs_have_the_gold_words_and_no_annotation(folder: Path) -> None:
    nlp = spacy.blank("en")
    long, short = create_gmb_reader(folder, split="sample", part="dev")(nlp)
    assert [token.text for token in short.predicted] == ["dev", ".", "…"]
    assert not long.predicted.has_annotation("TAG")
    assert not long.predicted.has_annotation("ENT_IOB")
    assert [(ent.start, ent.end, ent.label_) for ent in long.reference.ents] == [
        (0, 1, "geo"),
        (50, 52, "per"),
    ]
    assert long.reference[0].tag_ == "NN"
    assert long.predicted.vocab is nlp.vocab


def test_variant_and_limit_cut_what_is_given(folder: Path) -> None:
    nlp = spacy.blank("en")
    (fixed,) = create_gmb_reader(folder, split="sample", variant="fixed", limit=1)(nlp)
    assert len(fixed.reference) == 50
    assert [ent.label_ for ent in fixed.reference.ents] == ["geo"]
    (shifted,) = create_gmb_reader(folder, split="sample", variant="published", limit=1)(nlp)
    assert [(e.start, e.end, e.label_) for e in shifted.reference.ents] == [(48, 50, "per")]


def test_a_reader_gives_the_same_every_epoch(folder: Path) -> None:
    nlp, reader = spacy.blank("en"), create_gmb_reader(folder, split="sample")
    first = [example.reference.text for example in reader(nlp)]
    for path in folder.iterdir():
        path.unlink()
    assert [example.reference.text for example in reader(nlp)] == first


def test_a_csv_is_read_by_its_clean_split(write_csv: WriteCsv) -> None:
    rows = "".join(f"Sentence: {n},word{n},NN,O\n" for n in range(1, 801))
    reader = create_gmb_reader(str(write_csv(rows)), split="clean", part="test")
    assert len(list(reader(spacy.blank("en")))) == 200


def test_a_training_config_builds_a_reader_and_needs_no_file_for_it() -> None:
    registry.readers.register("test_gmb_reader.v1", func=create_gmb_reader)
    block = {"@readers": "test_gmb_reader.v1", "path": "nowhere.csv", "split": "clean"}
    reader = registry.resolve({"train": block})["train"]
    with pytest.raises(FileNotFoundError, match="EL201"):
        next(reader(spacy.blank("en")))


@pytest.mark.parametrize("setting", ["split", "part", "variant"])
def test_an_unknown_choice_is_refused_at_once(setting: str) -> None:
    settings: dict[str, Any] = {setting: "other"}
    with pytest.raises(ValueError, match=rf"EL215\] Unknown {setting} 'other'"):
        create_gmb_reader("nowhere.csv", **settings)
