"""A pipeline with two heads works with gold that has entities and no tags, or tags alone."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.comparison.corpora import from_doc
from spacy_elmo_ner.comparison.metrics import SCORER, TAG_ACCURACY
from spacy_elmo_ner.comparison.run import Comparison, compare
from spacy_elmo_ner.corpus.docbin import Layers, layers_of, read_examples
from tests.pipeline.conftest import make_examples

HEADS = {"entities": "elmo_ner", "tags": "elmo_tagger"}
LAYERS = pytest.mark.parametrize("layer", HEADS)


@pytest.fixture
def pipeline(make_nlp, tmp_path: Path) -> Path:
    make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=40, listener=True).to_disk(tmp_path / "nlp")
    return tmp_path / "nlp"


def gold(layer: str, path: Path, repeats: int = 4) -> Path:
    """The sentences the pipeline was trained on, with one layer of their annotation."""
    docs = []
    for example in make_examples(spacy.blank("en")) * repeats:
        whole = example.reference
        doc = Doc(whole.vocab, words=[token.text for token in whole])
        if layer == "entities":
            doc.set_ents([Span(doc, ent.start, ent.end, ent.label_) for ent in whole.ents])
        else:
            for token, gold_token in zip(doc, whole, strict=True):
                token.tag_ = gold_token.tag_
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)
    return path


def run(*arguments: object):
    return CliRunner().invoke(elmo_cli, [str(each) for each in arguments])


def other(layer: str) -> str:
    return "tags" if layer == "entities" else "entities"


@LAYERS
def test_compare_scores_the_layer_there_is(layer: str, pipeline: Path, tmp_path: Path):
    path = gold(layer, tmp_path / "test.spacy")
    task = Comparison([("ours", str(pipeline))], [path], repeats=0, progress=False)
    results = compare(task).results
    (system,) = results.corpora[0].systems
    scores = {"entities": system.ner, "tags": system.tags}
    assert scores[layer] and not scores[other(layer)]
    nlp = spacy.load(pipeline)
    by_spacy = nlp.evaluate(list(read_examples(path, nlp)))
    expected = {"entities": by_spacy["ents_f"], "tags": by_spacy["tag_acc"]}[layer]
    mode = {"entities": SCORER, "tags": TAG_ACCURACY}[layer]
    assert scores[layer][mode].f1 == pytest.approx(expected) and expected > 0.5
    assert results.pipelines[0].notes == [
        f"on test: gold has no {other(layer)}, so none are scored"
    ]


@LAYERS
def test_compare_needs_no_map_for_a_layer_that_gold_lacks(layer: str, tmp_path: Path):
    """Its labels are of another scheme altogether, and nothing is scored on them."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Mary Smith"}])
    nlp.to_disk(tmp_path / "rules")
    path = gold(layer, tmp_path / "test.spacy")
    task = Comparison([("rules", str(tmp_path / "rules"))], [path], repeats=0, progress=False)
    if layer == "entities":
        with pytest.raises(ValueError, match=r"EL310.*PERSON"):
            compare(task)
    else:
        (system,) = compare(task).results.corpora[0].systems
        assert system.ner == {} and system.unmapped_tags == {}


def test_compare_takes_a_label_that_gold_lacks_from_a_pipeline_with_all_of_golds(
    pipeline: Path, tmp_path: Path
):
    """A small test part lacks some labels of its scheme: predicting one is wrong, not unknown."""
    doc = Doc(spacy.blank("en").vocab, words=["Mary", "Smith", "left", "Paris"], tags=["NNP"] * 4)
    doc.set_ents([Span(doc, 0, 2, "per")], default="outside")
    DocBin(docs=[doc]).to_disk(tmp_path / "test.spacy")
    task = Comparison(
        [("ours", str(pipeline))], [tmp_path / "test.spacy"], repeats=0, progress=False
    )
    (system,) = compare(task).results.corpora[0].systems
    nlp = spacy.load(pipeline)
    by_spacy = nlp.evaluate(list(read_examples(tmp_path / "test.spacy", nlp)))
    assert system.tags[TAG_ACCURACY].f1 == by_spacy["tag_acc"] < 1
    assert system.ner[SCORER].precision == by_spacy["ents_p"]
    assert system.ner[SCORER].support == 1


@LAYERS
def test_the_command_writes_a_report_of_it(layer: str, pipeline: Path, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="the report needs the extra [project]")
    path, out = gold(layer, tmp_path / "test.spacy"), tmp_path / "out"
    done = run("compare", "-p", pipeline, "-c", path, "-o", out, "--repeats", 0)
    assert done.exit_code == 0, done.output
    assert f"gold has no {other(layer)}" in " ".join(done.output.split())
    example = json.loads((out / "results.json").read_text(encoding="utf8"))["examples"][0]
    # Gold without entities is not shown as a reading that found none.
    assert ("gold" in example["readings"]) is (layer == "entities")


@LAYERS
def test_audit_judges_the_layer_there_is(layer: str, pipeline: Path, tmp_path: Path):
    path, out = gold(layer, tmp_path / "c.spacy"), tmp_path / "out"
    done = run("audit", "--pipeline", pipeline, "--corpus", path, "--output", out)
    assert done.exit_code == 0, done.output
    assert f"{HEADS[other(layer)]} has nothing to judge" in done.output
    pipes = json.loads((out / "errors.json").read_text(encoding="utf8"))["pipes"]
    assert [pipe["pipe"] for pipe in pipes] == [HEADS[layer]]
    assert pipes[0]["n_annotated"] == 4 * 16


@LAYERS
def test_calibrate_fits_the_head_there_is_gold_for(layer: str, pipeline: Path, tmp_path: Path):
    done = run("calibrate", pipeline, "--dev", gold(layer, tmp_path / "dev.spacy"))
    assert done.exit_code == 0, done.output
    assert f"{HEADS[other(layer)]} is not calibrated" in done.output
    fitted = {
        name: json.loads((pipeline / name / "cfg").read_text(encoding="utf8"))["temperature"]
        for name in HEADS.values()
    }
    assert fitted[HEADS[layer]] != 1.0 == fitted[HEADS[other(layer)]]


@pytest.mark.parametrize("entities", [[], [(0, 2, "PERSON"), (3, 4, "LOC")]])
def test_calibrate_needs_entities_of_the_pipelines_labels(entities, pipeline, tmp_path: Path):
    """Fitted to words outside of entities, every entity would be all but certain."""
    doc = Doc(spacy.blank("en").vocab, words=["Mary", "Smith", "left", "Paris"])
    doc.set_ents([Span(doc, *one) for one in entities], default="outside")
    DocBin(docs=[doc] * 4).to_disk(tmp_path / "dev.spacy")
    done = run("calibrate", pipeline, "--dev", tmp_path / "dev.spacy")
    assert done.exit_code == 1 and "EL324" in done.output
    cfg = json.loads((pipeline / "elmo_ner/cfg").read_text(encoding="utf8"))
    assert cfg["temperature"] == 1.0


@LAYERS
def test_compact_scores_the_head_there_is_gold_for(layer: str, pipeline: Path, tmp_path: Path):
    out = tmp_path / "small"
    path = gold(layer, tmp_path / "test.spacy")
    done = run("compact", pipeline, out, "--test", path)
    assert done.exit_code == 0, done.output
    small = spacy.load(out)
    names = {"entities": "ents_f", "tags": "tag_acc"}
    score = small.meta["performance"][names[layer]]
    assert score == pytest.approx(small.evaluate(list(read_examples(path, small)))[names[layer]])
    assert score > 0.5 and small.meta["performance"][names[other(layer)]] is None


def config_of(pipeline: Path, path: Path) -> Path:
    """A config that trains this pipeline anew for a few steps."""
    whole = spacy.load(pipeline).config.copy()
    reader = {"@readers": "spacy.Corpus.v1", "gold_preproc": False, "max_length": 0, "limit": 0}
    whole["paths"] = {**whole["paths"], "train": None, "dev": None}
    for part in ("train", "dev"):
        whole["corpora"][part] = {**reader, "path": f"${{paths.{part}}}", "augmenter": None}
    whole.to_disk(path, interpolate=False)
    return path


def corpus_folder(folder: Path, train: str, dev: str) -> Path:
    """train has this layer, dev that one; "both" is both."""
    folder.mkdir()
    for part, layer in (("train", train), ("dev", dev)):
        if layer == "both":
            docs = [one.reference for one in make_examples(spacy.blank("en"))]
            DocBin(docs=docs).to_disk(folder / f"{part}.spacy")
        else:
            gold(layer, folder / f"{part}.spacy")
    (folder / "corpus.json").write_text('{"name": "ours"}', encoding="utf8")
    return folder


def trained(pipeline: Path, corpus: Path, out: Path):
    config = config_of(pipeline, corpus.parent / "config.cfg")
    steps = ("--training.max_steps", 2, "--training.eval_frequency", 1)
    return run("train", config, "--corpus", corpus, "--output", out, *steps)


@LAYERS
def test_train_ends_well_where_dev_lacks_a_layer(layer: str, pipeline: Path, tmp_path: Path):
    done = trained(pipeline, corpus_folder(tmp_path / "corpus", "both", layer), tmp_path / "out")
    assert done.exit_code == 0, (done.output, done.exception)
    assert f"dev.spacy holds no {other(layer)}" in " ".join(done.output.split())
    cfg = json.loads((tmp_path / "out/model-best" / HEADS[layer] / "cfg").read_text("utf8"))
    assert cfg["temperature"] != 1.0


@LAYERS
def test_train_says_at_once_which_head_has_nothing_to_learn(
    layer: str, pipeline: Path, tmp_path: Path
):
    done = trained(pipeline, corpus_folder(tmp_path / "corpus", layer, layer), tmp_path / "out")
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert "EL505" in done.output and HEADS[other(layer)] in done.output
    assert not (tmp_path / "out").exists()
    audited = run(
        *("audit", "--config", tmp_path / "config.cfg", "--output", tmp_path / "out"),
        *("--corpus", tmp_path / "corpus/train.spacy"),
    )
    assert audited.exit_code == 1 and "EL505" in audited.output
    assert not (tmp_path / "out").exists()


def test_a_text_without_words_has_no_annotation() -> None:
    vocab = Vocab()
    docs = [Doc(vocab), Doc(vocab, words=["Rome"], tags=["NNP"])]
    assert layers_of(docs) == Layers(entities=False, tags=True)
    assert (from_doc(docs[0]).entities, from_doc(docs[0]).tags) == (None, None)
    assert (from_doc(docs[1]).entities, from_doc(docs[1]).tags) == (None, ["NNP"])
