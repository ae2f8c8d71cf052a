"""An audit that finds nothing suspicious says so and writes its files, like any other."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_elmo_ner.audit.audit import Judged, audit, label_pairs
from spacy_elmo_ner.cli.app import elmo_cli
from tests.pipeline.conftest import make_examples


@pytest.mark.parametrize("finds_entities", [True, False])
def test_docs_in_which_gold_is_what_is_most_probable(finds_entities: bool):
    doc = Doc(spacy.blank("en").vocab, words=["Paris", "fell"])
    sure = np.asarray([[0.9, 0.1], [0.1, 0.9]])
    judged = Judged(
        ("O", "B-geo"), finds_entities, [doc] * 2, [0, 1], [sure] * 2, [np.asarray([0, 1])] * 2
    )
    judged.entities = [[], []]
    assert audit(judged) == label_pairs(judged) == []
    assert judged.n_annotated == 4


def test_the_command_writes_an_empty_list(make_nlp, tmp_path: Path):
    nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=150)
    nlp.to_disk(tmp_path / "nlp")
    docs = [example.reference for example in make_examples(nlp)] * 3
    DocBin(docs=docs).to_disk(tmp_path / "c.spacy")
    arguments = ["--pipeline", "nlp", "--corpus", "c.spacy", "--output", "out"]
    paths = [each if each[0] == "-" else str(tmp_path / each) for each in arguments]
    done = CliRunner().invoke(elmo_cli, ["audit", *paths])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "0 probable errors in 9 texts" in done.output
    content = json.loads((tmp_path / "out/errors.json").read_text(encoding="utf8"))
    assert [pipe["rows"] for pipe in content["pipes"]] == [[], []]
    assert (tmp_path / "out/errors.tsv").read_text(encoding="utf8").count("\n") == 1
