"""`benchmarks.cases`: scores of a pipeline on text in any case."""

from pathlib import Path

import spacy
from spacy.tokens import Doc, Span

from benchmarks.cases import score
from scripts.accuracy_page import cases_table
from spacy_elmo_ner.comparison.pipelines import load_pipeline


def test_a_pipeline_without_tags_has_no_score_of_them(tmp_path: Path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Rome"}])
    nlp.to_disk(tmp_path / "ruler")
    gold = Doc(nlp.vocab, words=["Ada", "saw", "Rome"], tags=["NNP", "VBD", "NNP"])
    gold.ents = [Span(gold, 2, 3, label="GPE")]
    row = score(load_pipeline("ruler", str(tmp_path / "ruler")), [gold], "clean")
    assert row["ents_f"] == 1.0
    assert row["tag_acc"] is row["tag_calibration_error"] is None
    (shown,) = cases_table([row]).rows
    assert shown[2] == "100.00" and shown[5] == shown[7] == "-"
