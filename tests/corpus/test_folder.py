"""What a corpus folder holds, and that it is written whole or not at all."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.corpus import folder as corpus_folder
from spacy_elmo_ner.corpus.folder import SourceFile, write_corpus
from spacy_elmo_ner.corpus.splits import Split

from .conftest import numbered, sentence

ENTS = ["B-geo", *["O"] * 49, "B-per", "I-per"]
SPLIT = Split(numbered(3), numbered(2), [sentence(9, ["w"] * 52, ENTS)])
SOURCES = [SourceFile("ner_dataset.csv", "ab" * 32)]


def docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_a_seed_folder_holds_every_variant_of_test(tmp_path: Path) -> None:
    write_corpus(SPLIT, "seed", SOURCES, tmp_path / "new" / "corpus")
    folder = tmp_path / "new" / "corpus"
    assert sorted(path.name for path in folder.iterdir()) == [
        "corpus.json",
        "dev.spacy",
        "test.spacy",
        "test_fixed.spacy",
        "test_published.spacy",
        "train.spacy",
    ]
    found = {name: docs(folder / f"{name}.spacy")[0].ents for name in ("test", "test_fixed")}
    assert [ent.label_ for ent in found["test"]] == ["geo", "per"]
    assert [ent.label_ for ent in found["test_fixed"]] == ["geo"]
    (published,) = docs(folder / "test_published.spacy")
    assert [(ent.start, ent.end) for ent in published.ents] == [(48, 50)]


def test_corpus_json_says_what_the_files_are(tmp_path: Path) -> None:
    write_corpus(SPLIT, "seed", SOURCES, tmp_path)
    data = json.loads((tmp_path / "corpus.json").read_text(encoding="utf8"))
    assert data["name"] == "gmb-seed"
    assert data["sources"] == [{"file": "ner_dataset.csv", "sha256": "ab" * 32}]
    assert data["split_sha256"] == SPLIT.sha256()
    assert data["parts"]["train"] == {"sentences": 3, "tokens": 6, "entities": 0}
    assert data["parts"]["test"] == {"sentences": 1, "tokens": 52, "entities": 2}
    assert data["parts"]["test_fixed"] == {"sentences": 1, "tokens": 50, "entities": 1}
    assert data["example"] == {"part": "test", "index": 395}


@pytest.mark.parametrize(("split", "name"), [("clean", "gmb-clean"), ("sample", "sample")])
def test_another_split_leaves_no_published_variant_behind(
    tmp_path: Path, split: str, name: str
) -> None:
    write_corpus(SPLIT, "seed", SOURCES, tmp_path)
    sizes = write_corpus(SPLIT, split, SOURCES, tmp_path)
    assert not (tmp_path / "test_published.spacy").exists()
    data = json.loads((tmp_path / "corpus.json").read_text(encoding="utf8"))
    assert (data["name"], data["example"]) == (name, None)
    assert set(sizes) == set(data["parts"]) == {"train", "dev", "test", "test_fixed"}


def test_an_interrupted_write_leaves_the_old_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(SPLIT, "clean", SOURCES, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls = []

    def fail_at_the_third(*args: object) -> bytes:
        calls.append(args)
        if len(calls) == 3:
            raise OSError("disk full")
        return b"half"

    monkeypatch.setattr(corpus_folder, "doc_bin_bytes", fail_at_the_third)
    with pytest.raises(OSError, match="disk full"):
        write_corpus(SPLIT, "clean", SOURCES, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_part_without_sentences_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL230\] The dev part of the gmb-clean corpus"):
        write_corpus(Split(numbered(3), [], numbered(1)), "clean", SOURCES, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()
