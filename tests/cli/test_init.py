"""``elmo init``: annotated files in, a folder out that `spacy train` takes as it is."""

import json
import os
import shlex
import sys
from pathlib import Path

import pytest
import spacy
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.resources import find, resource

SAMPLE = resource("assets/sample")
FEW_STEPS = {"training.max_steps": 3, "training.eval_frequency": 3}


def run(*arguments: object, fails: bool = False) -> str:
    result = CliRunner().invoke(elmo_cli, ["init", *map(str, arguments)], env={"COLUMNS": "200"})
    assert result.exit_code == int(fails), (result.output, result.exception)
    return " ".join(result.output.split())


def docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def jsonl(workplace: Path) -> Path:
    """Thirty texts with a name and a place each."""
    rows = []
    for i in range(30):
        name, place = f"Ada{i}", ("Rome", "Oslo")[i % 2]
        text = f"{name} went to {place} on day {i}."
        at = text.index(place)
        spans = [{"start": 0, "end": len(name), "label": "PER"},
                 {"start": at, "end": at + 4, "label": "LOC"}]  # fmt: skip
        rows.append(json.dumps({"text": text, "spans": spans}))
    Path("x.jsonl").write_text("\n".join(rows))
    return Path("x.jsonl")


def test_the_printed_commands_train_what_was_written(jsonl) -> None:
    output = run("out", "--train", jsonl)
    assert "python -m spacy train out/config.cfg --output out/training" in output
    assert "python -m spacy elmo train out/config.cfg --corpus out --output out/training" in output
    train(Path("out/config.cfg"), Path("out/training"), overrides=FEW_STEPS)
    nlp = spacy.load("out/training/model-best")
    assert nlp.pipe_names == ["elmo", "elmo_ner"]
    assert nlp.get_pipe("elmo_ner").labels == ("LOC", "PER")
    by_us = shlex.split("train out/config.cfg --corpus out --output out/ours "
                        "--training.max_steps 3 --training.eval_frequency 3")  # fmt: skip
    result = CliRunner().invoke(elmo_cli, by_us)
    assert result.exit_code == 0, result.output
    assert "Calibration of model-best" in result.output


def test_words_and_tags_are_trained_too(workplace) -> None:
    output = run("out", "--train", SAMPLE / "train.conll", "--dev", SAMPLE / "dev.conll",
                 "--test", SAMPLE / "test.conll")  # fmt: skip
    assert "train 500 9,234" in output and "geo 303 60" in output
    sizes = [len(docs(Path(f"out/{part}.spacy"))) for part in ("train", "dev", "test")]
    assert sizes == [500, 83, 126]
    train(Path("out/config.cfg"), Path("out/training"), overrides=FEW_STEPS)
    assert spacy.load("out/training/model-best").pipe_names == ["elmo", "elmo_tagger", "elmo_ner"]
    assert json.loads(Path("out/corpus.json").read_text())["parts"]["train"]["entities"] == 943


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_not_utf_8_is_read_and_shown(jsonl) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    rows = jsonl.read_text().splitlines()
    Path(name).write_text("\n".join([*rows, rows[0]]))  # one of them twice
    run("out", "--train", name)
    sources = json.loads(Path("out/corpus.json").read_text("utf8"))["sources"]
    assert [source["file"] for source in sources] == ["caf\\xe9.jsonl"]
    assert "\tcaf\\xe9.jsonl\t" in Path("out/problems.tsv").read_text("utf8")
    output = run(os.fsdecode(b"f\xe9"), "--train", jsonl, fails=True)
    assert "[EL662]" in output and "f\\xe9: its bytes are not UTF-8" in output


@pytest.mark.parametrize("copies, steps", [(1, 300), (3, 692)])
def test_a_small_corpus_gets_steps_for_its_size(workplace, copies: int, steps: int) -> None:
    """9,234 words in train, and three times as many."""
    train = (SAMPLE / "train.conll").read_text(encoding="utf8")
    Path("train.conll").write_text("\n".join([train] * copies), encoding="utf8")
    run("out", "--train", "train.conll", "--dev", SAMPLE / "dev.conll")
    training = load_config(Path("out/config.cfg"))["training"]
    assert training["max_steps"] == training["optimizer"]["learn_rate"]["total_steps"] == steps
    assert training["eval_frequency"] == steps // 6


def test_a_tenth_is_held_out_where_no_dev_is_given(jsonl) -> None:
    run("out", "--train", jsonl)
    run("again", "--train", jsonl)
    assert len(docs(Path("out/train.spacy"))) == 27 and len(docs(Path("out/dev.spacy"))) == 3
    for part in ("train", "dev"):
        texts = [
            [doc.text for doc in docs(Path(f"{where}/{part}.spacy"))] for where in ("out", "again")
        ]
        assert texts[0] == texts[1]
    assert json.loads(Path("out/corpus.json").read_text())["held_out"] is True


def test_everything_odd_is_listed_with_its_place(workplace) -> None:
    Path("a.conll").write_text("Rome B-LOC\n\nOslo B-LOC\n\nRome B-PER\n\nof O\nYork I-LOC\n")
    Path("b.jsonl").write_text(
        '{"text": "Oslo", "spans": []}\n{"text": "Berlin", "label": [[0, 3, "X"]]}'
    )
    output = run("out", "--train", "a.conll", "--dev", "b.jsonl")
    assert "1 of 4 texts of train repeat itself" in output
    assert "1 of 2 texts of dev repeat train" in output
    rows = [line.split("\t") for line in Path("out/problems.tsv").read_text().splitlines()]
    assert [row[:3] for row in rows] == [
        ["kind", "file", "place"],
        ["sequence", "a.conll", "line 8"],
        ["span", "b.jsonl", "line 2"],
        ["duplicate", "a.conll", "line 5"],
        ["contradiction", "a.conll", "line 5"],
        ["duplicate", "b.jsonl", "line 1"],
        ["contradiction", "b.jsonl", "line 1"],
    ]
    assert all(f"{row[1]}, {row[2]}: {row[3]}" in output for row in rows[1:])


def test_labels_that_only_dev_has_are_said(workplace) -> None:
    Path("a.iob").write_text("Rome|B-LOC fell|O\nOslo|B-LOC\n")
    Path("b.iob").write_text("Ada|B-PER\n")
    assert "No text of train has PER" in run("out", "--train", "a.iob", "--dev", "b.iob")


def test_chosen_labels_alone_are_learned(jsonl) -> None:
    run("out", "--train", jsonl, "--label", "PER")
    found = {ent.label_ for doc in docs(Path("out/train.spacy")) for ent in doc.ents}
    assert found == {"PER"}
    assert {token.ent_iob_ for token in docs(Path("out/train.spacy"))[0]} == {"B", "O"}
    assert "EL658" in run("other", "--train", jsonl, "--label", "ORG", fails=True)


def test_docs_of_a_spacy_file_keep_their_tokens(workplace) -> None:
    nlp = spacy.blank("en")
    made = [nlp.make_doc(f"Ada{i} is in Rome.") for i in range(4)]
    for doc in made:
        doc.set_ents([doc.char_span(0, 4, label="PER")])
    DocBin(docs=made, store_user_data=True).to_disk("x.spacy")
    run("out", "--train", "x.spacy")
    found = docs(Path("out/train.spacy")) + docs(Path("out/dev.spacy"))
    assert sorted(doc.text for doc in found) == [doc.text for doc in made]
    assert all(doc.ents[0].text == doc.text[:4] for doc in found)


def test_tags_alone_make_a_tagger(workplace) -> None:
    Path("x.conll").write_text("Rome NNP O\nfell VBD O\n\nOslo NNP O\nrose VBD O\n")
    run("out", "--train", "x.conll")
    config = load_config("out/config.cfg")
    assert config["nlp"]["pipeline"] == ["elmo", "elmo_tagger"]
    assert config["training"]["score_weights"] == {"tag_acc": 1.0}
    train(Path("out/config.cfg"), Path("out/training"), overrides=FEW_STEPS)
    assert "EL661" in run("none", "--train", "x.conll", "--no-tags", fails=True)


def test_another_language_has_its_tokenizer_and_ones_own_bilm(workplace, bilm_dir) -> None:
    rows = [
        {"text": f"他{i}在北京。", "label": [[len(f"他{i}在"), len(f"他{i}在") + 2, "LOC"]]}
        for i in range(4)
    ]
    Path("x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    output = run("out", "--train", "x.jsonl", "--lang", "zh", "--bilm", bilm_dir)
    assert "No word vectors for 'zh' come with this package" in output
    config = load_config("out/config.cfg")
    assert config["nlp"]["tokenizer"]["@tokenizers"] == "spacy.zh.ChineseTokenizer"
    assert config["components"]["elmo"]["model"]["include_bilm"] is True
    train(Path("out/config.cfg"), Path("out/training"), overrides=FEW_STEPS)
    assert spacy.load("out/training/model-best").lang == "zh"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["out", "--train", "none.conll"], "EL651"),
        (["out", "--train", "x.csv"], "EL652"),
        (["out", "--train", "x.jsonl", "--lang", "xx-none"], "EL657"),
        (["out", "--train", "x.jsonl", "--bilm", "none"], "EL660"),
        (["out", "--train", "x.jsonl", "--vectors", "nothing"], "EL051"),
        (["full", "--train", "x.jsonl"], "EL650"),
        (["a${b}", "--train", "x.jsonl"], "EL662"),
        (["a$b", "--train", "x.jsonl"], "EL662"),
        (["x.csv", "--train", "x.jsonl"], "EL650"),
        (["out", "--train", "bytes.conll"], "EL655"),
        (["out", "--train", "empty.conll"], "EL656"),
        (["out", "--train", "no.spacy"], "EL322"),
        (["x.csv/out", "--train", "x.jsonl"], "EL425"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(jsonl, arguments, code) -> None:
    Path("x.csv").write_text("a,b")
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    Path("bytes.conll").write_bytes("Zürich B-LOC\nGenève B-LOC\n".encode() + b"a\xe9 O\n")
    Path("empty.conll").write_text("# nothing\n")
    Path("no.spacy").write_text("no")
    before = sorted(Path().rglob("*"))
    output = run(*arguments, fails=True)
    assert code in output and "Traceback" not in output
    assert sorted(Path().rglob("*")) == before


def test_our_files_are_found_by_their_path_in_a_checkout(workplace) -> None:
    assert find(Path("configs/ner.cfg")) == resource("configs/ner.cfg")
    assert find(Path("assets/label_maps/ontonotes-gmb.json")).is_file()
    assert find(Path("configs/none.cfg")) == Path("configs/none.cfg")
    assert find(Path("configs/../setup.cfg")) == Path("configs/../setup.cfg")
    assert find(Path("/configs/ner.cfg")) == Path("/configs/ner.cfg")
    Path("configs").mkdir()
    Path("configs/ner.cfg").write_text("mine")
    assert find(Path("configs/ner.cfg")).read_text() == "mine"
