"""Planted errors in a small corpus: found by a pipeline that has not seen them, and by folds."""

import csv
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_elmo_ner.audit.audit import Judged, audit, judge, label_pairs, merge
from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.decoding import MISSING
from tests.pipeline.conftest import SENTENCES, make_nlp  # noqa: F401

VOCAB = spacy.blank("en").vocab


def annotated(text, tags, ents):
    doc = Doc(VOCAB, words=text.split(), tags=tags.split())
    doc.set_ents([Span(doc, *ent) for ent in ents], default="outside")
    return doc


def planted_corpus():
    """The sentences the pipeline was trained on as they are, and once each with an error."""
    right = [annotated(*sentence) for sentence in SENTENCES]
    (first, tags, _), _, (third, other_tags, _) = SENTENCES
    wrong = [
        annotated(first, tags, [(0, 3, "per"), (4, 5, "geo"), (6, 7, "geo")]),  # type
        annotated(first, tags, [(0, 3, "per"), (4, 5, "org")]),  # Paris is missing
        annotated(third, other_tags, [(0, 1, "per"), (3, 4, "geo")]),  # Smith is cut off
        annotated(third, "NNP NNP IN NNP", [(0, 2, "per"), (2, 3, "org"), (3, 4, "geo")]),
    ]
    return [*right * 5, *wrong]


@pytest.fixture
def trained(make_nlp):  # noqa: F811
    return make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=150)


def test_planted_errors_are_found_with_what_they_should_be(trained):
    judged = judge(trained, enumerate(planted_corpus()))
    rows = {(row.doc, row.kind, row.gold, row.suggested) for row in audit(judged["elmo_ner"])}
    assert rows == {
        (15, "type", "Reuters=geo", "Reuters=org"),
        (16, "missing", "", "Paris=geo"),
        (17, "boundary", "Mary=per", "Mary Smith=per"),
        (18, "spurious", "left=org", ""),
    }
    (tag,) = audit(judged["elmo_tagger"])
    assert (tag.doc, tag.start, tag.kind, tag.gold, tag.suggested) == (18, 2, "tag", "IN", "VBD")
    assert "[[left]]" in tag.context and tag.p_suggested - tag.p_gold == pytest.approx(tag.margin)
    assert label_pairs(judged["elmo_tagger"]) == [("IN", "VBD", 1)]


def test_the_most_suspicious_come_first(trained):
    rows = audit(judge(trained, enumerate(planted_corpus()))["elmo_ner"])
    margins = [row.margin for row in rows]
    assert margins == sorted(margins, reverse=True) and min(margins) > 0


def test_the_annotation_is_not_changed(trained):
    docs = planted_corpus()
    before = [doc.to_bytes() for doc in docs]
    judge(trained, enumerate(docs))
    assert [doc.to_bytes() for doc in docs] == before


def test_folds_are_put_together_even_where_one_lacks_a_label():
    import numpy as np

    doc = annotated("Paris fell", "NNP VBD", [])
    first = Judged(
        ("A", "B"), False, [doc], [0], [np.asarray([[0.9, 0.1]])], [np.asarray([1])], [[]]
    )
    second = Judged(
        ("C", "B"), False, [doc], [1], [np.asarray([[0.3, 0.7]])], [np.asarray([MISSING])], [[]]
    )
    one = merge([{"tagger": first}, {"tagger": second}])["tagger"]
    assert one.labels == ("A", "B", "C") and one.numbers == [0, 1]
    assert [p.tolist() for p in one.probabilities] == [[[0.9, 0.1, 0.0]], [[0.0, 0.7, 0.3]]]
    assert [gold.tolist() for gold in one.gold] == [[1], [MISSING]]


def test_nothing_to_judge_gives_nothing():
    empty = Judged(("O",), True)
    assert audit(empty) == label_pairs(empty) == []


def run(*arguments):
    return CliRunner().invoke(elmo_cli, ["audit", *map(str, arguments)])


def test_the_command_writes_a_table_and_json(trained, tmp_path):
    trained.to_disk(tmp_path / "nlp")
    DocBin(docs=planted_corpus()).to_disk(tmp_path / "c.spacy")
    out = tmp_path / "out"
    result = run("--corpus", tmp_path / "c.spacy", "--pipeline", tmp_path / "nlp", "--output", out)
    assert result.exit_code == 0, result.output
    assert "Reuters=org" in result.output and "4 probable errors in 19 texts" in result.output
    with open(out / "errors.tsv", encoding="utf8", newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    content = json.loads((out / "errors.json").read_text(encoding="utf8"))
    in_json = [(p["pipe"], row["suggested"]) for p in content["pipes"] for row in p["rows"]]
    assert [(row["pipe"], row["suggested"]) for row in table] == in_json
    assert len(table) == 5 and content["corpus"] == ["c.spacy"]


NAMES = ["Mary", "John", "Anna", "Peter", "Ruth", "Paul", "Jane", "Karl"]
PLACES = ["Paris", "London", "Rome", "Oslo", "Berlin", "Madrid"]
PLANTED = 17


def many_sentences():
    """Patterns any fold can be learned from; in one sentence the place is annotated as a person."""
    docs = []
    for i, name in enumerate(NAMES):
        for k, place in enumerate(PLACES):
            label = "per" if i * len(PLACES) + k == PLANTED else "geo"
            ents = [(0, 1, "per"), (3, 4, label)]
            docs.append(annotated(f"{name} went to {place} .", "NNP VBD TO NNP .", ents))
    return docs


@pytest.fixture
def config(bilm_dir: Path, tmp_path: Path) -> Path:
    """One small elmo_ner that is trained in seconds."""
    nlp = spacy.blank("en")
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    tok2vec = {"@architectures": "spacy_elmo_ner.ElmoTok2Vec.v1", "bilm": bilm}
    encoder = {"units": 12, "dropout": 0.0, "recurrent_dropout": 0.0}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    whole = nlp.config.copy()
    reader = {"@readers": "spacy.Corpus.v1", "gold_preproc": False, "max_length": 0, "limit": 0}
    whole["paths"] = {**whole["paths"], "train": None, "dev": None}
    for part in ("train", "dev"):
        whole["corpora"][part] = {**reader, "path": f"${{paths.{part}}}", "augmenter": None}
    whole["training"]["optimizer"]["learn_rate"] = 0.02
    whole.to_disk(tmp_path / "config.cfg", interpolate=False)
    return tmp_path / "config.cfg"


def test_folds_find_what_a_model_that_saw_it_would_defend(config, tmp_path):
    DocBin(docs=many_sentences()).to_disk(tmp_path / "c.spacy")
    arguments = ["--corpus", tmp_path / "c.spacy", "--config", config, "--output", tmp_path / "out"]
    arguments += ["--folds", 2, "--training.max_steps", 40, "--training.eval_frequency", 20]
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    content = json.loads((tmp_path / "out" / "errors.json").read_text(encoding="utf8"))
    (pipe,) = content["pipes"]
    assert pipe["n_docs"] == len(NAMES) * len(PLACES)
    first = pipe["rows"][0]
    assert first["doc"] == PLANTED and first["gold"].endswith("=per")
    assert first["suggested"].endswith("=geo") and first["kind"] == "type"

    # Folds that are there and were made from the same are not trained again.
    trained = tmp_path / "out" / "fold-0" / "model-best" / "meta.json"
    before = trained.stat().st_mtime_ns
    assert run(*arguments).exit_code == 0 and trained.stat().st_mtime_ns == before
    assert not list((tmp_path / "out").glob(".*"))


def test_what_is_missing_is_named(config, tmp_path):
    DocBin(docs=planted_corpus()).to_disk(tmp_path / "c.spacy")
    neither = run("--corpus", tmp_path / "c.spacy", "--output", tmp_path / "out")
    assert neither.exit_code == 1 and "EL522" in neither.output
    no_file = run("--corpus", tmp_path / "no.spacy", "--output", tmp_path / "out")
    assert no_file.exit_code == 1 and "EL520" in no_file.output
    few = run("--corpus", tmp_path / "c.spacy", "--config", config, "--output", tmp_path / "out")
    assert few.exit_code == 1 and "EL523" in few.output
    spacy.blank("en").to_disk(tmp_path / "nlp")
    nothing = run(
        "--corpus", tmp_path / "c.spacy", "--pipeline", tmp_path / "nlp", "--output", tmp_path / "o"
    )
    assert nothing.exit_code == 1 and "EL521" in nothing.output
