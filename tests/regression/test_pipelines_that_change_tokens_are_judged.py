"""Pipes that join or split words leave every judgement on gold's own words."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_elmo_ner.audit.audit import judge
from spacy_elmo_ner.cli.app import elmo_cli
from tests.pipeline.conftest import make_examples

SPLITTER = {"min_length": 6, "split_length": 3}


@pytest.fixture
def nlp(make_nlp):
    return make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=40)


def gold() -> list[Doc]:
    """The sentences the pipeline was trained on; "there" is annotated wrongly."""
    docs = [example.reference for example in make_examples(spacy.blank("en"))]
    docs[1].set_ents([Span(docs[1], 2, 3, "geo")], default="outside")
    docs[1][2].tag_ = "NNP"
    return docs


def of_pipe(judged):
    return [p.round(4).tolist() for p in judged.probabilities], judged.entities


def test_merged_entities_change_no_judgement(nlp):
    alone = judge(nlp, enumerate(gold()))
    nlp.add_pipe("merge_entities")
    both = judge(nlp, enumerate(gold()))
    for name, judged in alone.items():
        assert of_pipe(both[name]) == of_pipe(judged)
        assert judged.n_annotated == both[name].n_annotated == 16


def test_words_that_are_split_are_not_judged(nlp):
    nlp.add_pipe("token_splitter", first=True, config=SPLITTER)
    judged = judge(nlp, enumerate(gold()))
    whole = [[len(word.text) < 6 for word in doc] for doc in gold()]
    for name, each in judged.items():
        assert [len(p) for p in each.probabilities] == [8, 4, 4]
        assert [(g >= 0).tolist() for g in each.gold] == whole, name
    for doc, entities in zip(gold(), judged["elmo_ner"].entities, strict=True):
        assert all(0 <= one.start < one.end <= len(doc) for one in entities)


@pytest.mark.parametrize("pipe", ["merge_entities", "token_splitter"])
def test_the_command_writes_rows_in_golds_words(pipe: str, nlp, tmp_path: Path):
    settings = {"first": True, "config": SPLITTER} if pipe == "token_splitter" else {}
    nlp.add_pipe(pipe, **settings)
    nlp.to_disk(tmp_path / "nlp")
    DocBin(docs=gold()).to_disk(tmp_path / "gold.spacy")
    arguments = {"pipeline": "nlp", "corpus": "gold.spacy", "output": "out"}
    given = [part for key, name in arguments.items() for part in (f"--{key}", tmp_path / name)]
    done = CliRunner().invoke(elmo_cli, ["audit", *map(str, given)])
    assert done.exit_code == 0, (done.output, done.exception)
    pipes = json.loads((tmp_path / "out/errors.json").read_text(encoding="utf8"))["pipes"]
    docs = gold()
    rows = [row for each in pipes for row in each["rows"]]
    assert rows
    for row in rows:
        span = docs[row["doc"]][row["start"] : row["end"]]
        assert f"[[{span.text}]]" in row["context"]
        if row["kind"] == "tag":
            assert row["gold"] == span[0].tag_
