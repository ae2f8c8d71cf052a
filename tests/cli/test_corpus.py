"""``python -m spacy elmo corpus``: which corpus it takes, and that it says so."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli

HEADER = "Sentence #,Word,POS,Tag\n"
RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def empty_workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in or beside it, and no file named by the environment."""
    workplace = tmp_path / "beside" / "workplace"
    workplace.mkdir(parents=True)
    monkeypatch.chdir(workplace)
    monkeypatch.delenv("SPACY_ELMO_NER_GMB", raising=False)
    return workplace


def write_csv(path: Path, n: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"Sentence: {i},word{i},NN,B-geo\n" for i in range(1, n + 1))
    path.write_text(HEADER + rows)
    return path


def write_sample(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for part in ("train", "dev", "test"):
        (folder / f"{part}.conll").write_text("Rome\tNNP\tB-geo\nfell\tVBD\tO\n")
    return folder


def unwrapped(output: str) -> str:
    """On one line: where messages are folded depends on the paths in them."""
    return " ".join(output.split())


def run(*arguments: str) -> str:
    result = RUNNER.invoke(elmo_cli, ["corpus", "--output", "corpus", *arguments])
    assert result.exit_code == 0, result.output
    return unwrapped(result.output)


def fail(*arguments: str) -> str:
    result = RUNNER.invoke(elmo_cli, ["corpus", "--output", "corpus", *arguments])
    assert result.exit_code == 1
    assert not Path("corpus").exists()
    return unwrapped(result.output)


def description() -> dict:
    return json.loads(Path("corpus/corpus.json").read_text(encoding="utf8"))


def test_the_seed_split_is_the_default(tmp_path: Path) -> None:
    output = run("--csv", str(write_csv(tmp_path / "any.csv", 47_959)))
    assert description()["name"] == "gmb-seed"
    assert description()["sources"][0]["file"] == "any.csv"
    sizes = [description()["parts"][part]["sentences"] for part in ("train", "dev", "test")]
    assert sizes == [38_816, 4_320, 4_768]
    assert Path("corpus/test_published.spacy").is_file()
    assert "is not the published ner_dataset.csv" in output
    assert "38816" in output


def test_the_clean_split_of_any_file(tmp_path: Path) -> None:
    run("--csv", str(write_csv(tmp_path / "any.csv", 800)), "--split", "clean")
    assert description()["name"] == "gmb-clean"
    docs = list(DocBin().from_disk("corpus/dev.spacy").get_docs(spacy.blank("en").vocab))
    assert docs and all(doc.ents[0].label_ == "geo" for doc in docs)


def test_files_are_looked_for_in_the_order_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(Path("assets/gmb/ner_dataset.csv"), 800)
    assert "assets/gmb/ner_dataset.csv" in run("--split", "clean")
    monkeypatch.setenv("SPACY_ELMO_NER_GMB", str(write_csv(tmp_path / "named.csv", 800)))
    assert "named.csv" in run("--split", "clean")
    given = write_csv(tmp_path / "given.csv", 800)
    assert "given.csv" in run("--split", "clean", "--csv", str(given))


def test_without_a_csv_the_sample_stands_in_and_is_announced() -> None:
    write_sample(Path("assets/sample"))
    output = run()
    assert "No ner_dataset.csv found: using the sample corpus in assets/sample instead." in output
    data = description()
    assert data["name"] == "sample"
    assert [source["file"] for source in data["sources"]] == [
        "train.conll",
        "dev.conll",
        "test.conll",
    ]
    fixed, full = (Path(f"corpus/{name}.spacy").read_bytes() for name in ("test_fixed", "test"))
    assert fixed == full


def test_the_sample_can_be_asked_for_beside_a_csv(tmp_path: Path) -> None:
    write_csv(Path("assets/gmb/ner_dataset.csv"), 800)
    folder = write_sample(tmp_path / "ours")
    assert "Using the sample corpus" in run("--split", "sample", "--sample-dir", str(folder))
    assert description()["parts"]["train"] == {"sentences": 1, "tokens": 2, "entities": 1}


def test_a_file_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    write_sample(Path("assets/sample"))
    assert "EL201" in fail("--csv", "nowhere.csv")
    monkeypatch.setenv("SPACY_ELMO_NER_GMB", "nowhere.csv")
    assert "EL201" in fail()


def test_a_broken_file_ends_in_one_clear_error(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "broken.csv", 2)
    path.write_text(path.read_text() + "Sentence: 3,word,NN\n")
    output = fail("--csv", str(path))
    assert "EL206" in output and "line 4" in output and "Traceback" not in output


def test_an_empty_corpus_ends_in_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(HEADER)
    assert "EL203" in fail("--csv", str(path))


def test_in_an_empty_folder_the_packages_own_sample_stands_in() -> None:
    assert "using the sample corpus in" in run()
    assert description()["parts"]["train"]["sentences"] == 500


def test_neither_csv_nor_sample_ends_in_one_clear_error() -> None:
    output = fail("--sample-dir", "nowhere")
    assert "EL220" in output and "train.conll" in output
