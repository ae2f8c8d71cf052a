"""`elmo compact`: a pipeline in half the room that annotates as its rounded weights say."""

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.layers.half import round_weights

from .conftest import annotation, make_examples

PIPES = ("elmo", "elmo_tagger", "elmo_ner")
TEXT = "Mary Smith met Reuters in Paris ."


def run(*arguments):
    return CliRunner().invoke(elmo_cli, ["compact", *map(str, arguments)])


def test_what_is_written_answers_as_the_rounded_pipeline_does(make_nlp, tmp_path):
    nlp = make_nlp(*PIPES, steps=5, listener=True)
    nlp.to_disk(tmp_path / "nlp")
    assert run(tmp_path / "nlp", tmp_path / "small").exit_code == 0
    for name in PIPES[1:]:
        round_weights(nlp.get_pipe(name).model)
    found = spacy.load(tmp_path / "small")
    assert annotation(found(TEXT)) == annotation(nlp(TEXT))
    scores, expected = (
        each.get_pipe("elmo_ner").predict_scores([each(TEXT)]) for each in (found, nlp)
    )
    assert np.array_equal(scores[0], expected[0])
    for name in PIPES[1:]:
        whole, half = (tmp_path / folder / name / "model" for folder in ("nlp", "small"))
        assert half.stat().st_size < 0.7 * whole.stat().st_size


def test_saving_it_again_changes_nothing(make_nlp, tmp_path):
    make_nlp(*PIPES, steps=5, listener=True).to_disk(tmp_path / "nlp")
    run(tmp_path / "nlp", tmp_path / "once")
    spacy.load(tmp_path / "once").to_disk(tmp_path / "again")
    for name in PIPES:
        once, again = (tmp_path / folder / name / "model" for folder in ("once", "again"))
        assert once.read_bytes() == again.read_bytes()


def test_words_of_the_training_text_are_left_out(make_nlp, tmp_path):
    nlp = make_nlp(*PIPES, steps=5, listener=True)
    nlp.vocab.strings.add("Confidential")
    nlp.to_disk(tmp_path / "nlp")
    run(tmp_path / "nlp", tmp_path / "small")
    assert b"Confidential" in (tmp_path / "nlp/vocab/strings.json").read_bytes()
    assert not any(
        b"Confidential" in path.read_bytes() for path in (tmp_path / "small").rglob("*.*")
    )
    assert "Confidential" not in spacy.load(tmp_path / "small").vocab.strings


def test_its_own_scores_stand_in_its_meta(make_nlp, tmp_path):
    nlp = make_nlp(*PIPES, steps=30, listener=True)
    nlp.meta["performance"] = {"ents_f": 0.0}
    nlp.to_disk(tmp_path / "nlp")
    examples = make_examples(nlp)
    DocBin(docs=[one.reference for one in examples]).to_disk(tmp_path / "test.spacy")
    found = run(tmp_path / "nlp", tmp_path / "small", "--test", tmp_path / "test.spacy")
    small = spacy.load(tmp_path / "small")
    expected = small.evaluate(list(Corpus(tmp_path / "test.spacy")(small)))
    assert expected["ents_f"] > 0
    assert small.meta["performance"]["ents_f"] == pytest.approx(expected["ents_f"])
    assert small.meta["performance"]["tag_acc"] == pytest.approx(expected["tag_acc"])
    assert f"{100 * expected['ents_f']:.2f}" in found.output


def test_a_pipe_of_another_kind_keeps_its_strings(make_nlp, tmp_path):
    nlp = make_nlp(*PIPES, steps=5, listener=True)
    ruler = nlp.add_pipe("entity_ruler", last=True)
    ruler.add_patterns([{"label": "BOOK", "pattern": "Confidential"}])
    nlp.to_disk(tmp_path / "nlp")
    run(tmp_path / "nlp", tmp_path / "small")
    assert [ent.label_ for ent in spacy.load(tmp_path / "small")("Confidential").ents] == ["BOOK"]
    assert "BOOK" in spacy.load(tmp_path / "small").vocab.strings


@pytest.mark.parametrize(("pipes", "code"), [(None, "EL520"), ((), "EL521")])
def test_without_a_pipeline_of_ours_nothing_is_written(pipes, code, tmp_path):
    if pipes is not None:
        spacy.blank("en").to_disk(tmp_path / "nlp")
    found = run(tmp_path / "nlp", tmp_path / "small")
    assert found.exit_code == 1
    assert code in found.output
    assert not (tmp_path / "small").exists()


def test_a_description_goes_into_its_meta(make_nlp, tmp_path):
    make_nlp(*PIPES, steps=1, listener=True).to_disk(tmp_path / "nlp")
    (tmp_path / "meta.json").write_text('{"name": "tiny", "license": "MIT"}', encoding="utf8")
    found = run(tmp_path / "nlp", tmp_path / "small", "--meta", tmp_path / "meta.json")
    assert found.exit_code == 0
    meta = spacy.load(tmp_path / "small").meta
    assert (meta["name"], meta["license"]) == ("tiny", "MIT")


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        '{"licence": "MIT"}',
        '{"name": null}',
        '{"spacy_version": 3.8}',
        '{"sources": "x"}',
        "{",
        "[" * 100_000,
    ],
)
def test_a_description_that_is_none_is_refused_before_anything_is_written(
    content, make_nlp, tmp_path
):
    make_nlp(*PIPES, steps=1, listener=True).to_disk(tmp_path / "nlp")
    (tmp_path / "meta.json").write_text(content, encoding="utf8")
    found = run(tmp_path / "nlp", tmp_path / "small", "--meta", tmp_path / "meta.json")
    assert found.exit_code == 1
    assert "EL524" in found.output
    assert not (tmp_path / "small").exists()


def test_a_folder_of_something_else_is_never_replaced(make_nlp, tmp_path):
    (tmp_path / "training").mkdir()
    make_nlp("elmo_ner", steps=1).to_disk(tmp_path / "training" / "model-best")
    (tmp_path / "training" / "notes.txt").write_text("mine")
    result = run(tmp_path / "training" / "model-best", tmp_path / "training")
    assert result.exit_code == 1 and "EL529" in result.output
    assert (tmp_path / "training" / "notes.txt").read_text() == "mine"
    assert spacy.load(tmp_path / "training" / "model-best").pipe_names
