"""``elmo train --share``: a model on a part of train, for a learning curve."""

import json
import shutil
from math import ceil
from pathlib import Path

import pytest
import spacy
import typer
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_elmo_ner.cli import train as train_module
from spacy_elmo_ner.cli.train import train_cli
from spacy_elmo_ner.corpus.docbin import read_docbin

ROOT = Path(__file__).parents[2]
CNN = ROOT / "configs" / "tok2vec.cfg"

app = typer.Typer()
_CONFIG_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command("train", context_settings=_CONFIG_OVERRIDES)(train_cli)


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus as `elmo corpus` writes it."""
    from spacy_elmo_ner.cli.corpus import corpus_cli

    folder = tmp_path_factory.mktemp("corpus")
    writer = typer.Typer()
    writer.command("corpus")(corpus_cli)
    sample = ROOT / "assets" / "sample"
    made = CliRunner().invoke(
        writer, ["--output", str(folder), "--split", "sample", "--sample-dir", str(sample)]
    )
    assert made.exit_code == 0, made.output
    return folder


def n_docs(path: str | Path) -> int:
    return len(list(DocBin().from_disk(path).get_docs(Vocab())))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The overrides `spacy train` was called with; it does not run."""
    calls: list[dict] = []
    monkeypatch.setattr(
        train_module, "train", lambda config, output, overrides: calls.append(overrides)
    )
    monkeypatch.setattr(train_module, "calibrate_folder", lambda folder, dev: {})
    return calls


def test_a_share_is_trained_on_with_the_budget_of_the_whole(corpus, trained, tmp_path):
    assert invoke(CNN, "--corpus", corpus, "--output", tmp_path / "all").exit_code == 0
    share = ("--share", 10, "--output", tmp_path / "part")
    assert invoke(CNN, "--corpus", corpus, *share).exit_code == 0
    whole, part = trained
    assert whole["paths.train"] == str(corpus / "train.spacy")
    assert part["paths.train"] == str(tmp_path / "part" / "train.spacy")
    assert n_docs(part["paths.train"]) == round(n_docs(corpus / "train.spacy") / 10)
    assert {**part, "paths.train": None} == {**whole, "paths.train": None}
    assert list((tmp_path / "all").iterdir()) == []


def test_a_pipeline_is_really_trained_on_a_share(corpus, tmp_path):
    budget = ("--training.max_steps", 4, "--training.eval_frequency", 2)
    share = ("--share", 20, "--output", tmp_path)
    run = invoke(CNN, "--corpus", corpus, *share, *budget)
    assert run.exit_code == 0, run.output
    nlp = spacy.load(tmp_path / "model-best")
    labels = {ent.label_ for doc in DocBin().from_disk(tmp_path / "train.spacy").get_docs(nlp.vocab)
              for ent in doc.ents}  # fmt: skip
    # What it can predict is what its share holds.
    assert set(nlp.pipe_labels["ner"]) == labels
    assert json.loads((tmp_path / "model-best" / "meta.json").read_text())["performance"]


@pytest.mark.parametrize("share", [0, 101])
def test_what_is_no_share_is_one_message(share, corpus, trained, tmp_path):
    run = invoke(CNN, "--corpus", corpus, "--share", share, "--output", tmp_path / "out")
    assert run.exit_code == 1
    assert "EL516" in run.output
    assert trained == []


@pytest.mark.parametrize(
    ("config", "kept"),
    [("elmo", True), ("seed", True), ("tok2vec", False), ("transformer", False)],
)
def test_memory_is_kept_where_our_pipes_train_and_left_alone_for_baselines(
    config, kept, corpus, trained, tmp_path, monkeypatch
):
    calls: list[None] = []
    monkeypatch.setattr(train_module, "keep_freed_memory", lambda: calls.append(None))
    result = invoke(
        ROOT / "configs" / f"{config}.cfg", "--corpus", corpus, "--output", tmp_path / "out"
    )
    assert result.exit_code == 0, result.output
    assert bool(calls) is kept


def test_the_packages_own_config_is_found_in_any_folder(corpus, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("configs/ner.cfg", "--corpus", corpus, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(trained) == 1


def test_a_config_that_is_not_there_is_one_message(corpus, trained, tmp_path):
    run = invoke(tmp_path / "none.cfg", "--corpus", corpus, "--output", tmp_path / "out")
    assert isinstance(run.exception, SystemExit) and run.exit_code == 1
    assert "none.cfg" in run.output.replace("\n", "")
    assert trained == []


@pytest.mark.parametrize("config, max_steps", [("elmo", 300), ("seed", 300), ("ner", None)])
def test_only_a_budget_for_large_corpora_is_cut_for_a_small_one(
    corpus, trained, tmp_path, config, max_steps
):
    path = ROOT / "configs" / f"{config}.cfg"
    result = invoke(path, "--corpus", corpus, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert trained[0].get("training.max_steps") == max_steps
    assert trained[0]["paths.train"] == str(corpus / "train.spacy")


def test_spacys_cnn_reads_a_small_corpus_as_often_as_ours(corpus, trained, tmp_path):
    """Its batches begin with 100 words, so as many steps as ours would be a tenth of the text."""
    result = invoke(CNN, "--corpus", corpus, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    words = sum(map(len, read_docbin(corpus / "train.spacy").tokens))
    assert trained[0]["training.max_epochs"] == ceil(300 * 1200 / words) == 39
    assert "Training for 39 passes at most" in result.output
    given = ("--training.max_steps", 5000)
    invoke(CNN, "--corpus", corpus, "--output", tmp_path / "out", *given)
    assert trained[1]["training.max_steps"] == 5000
    assert trained[1]["training.max_epochs"] == 0  # passes would end it before
    assert "training.max_steps" not in trained[0]


def test_no_small_corpus_gets_more_steps_than_its_config_has(corpus, trained, tmp_path):
    text = (ROOT / "configs/elmo.cfg").read_text(encoding="utf8")
    config = tmp_path / "shorter.cfg"
    config.write_text(text.replace("_steps = 2500", "_steps = 1100"), encoding="utf8")
    parts = list(DocBin().from_disk(corpus / "train.spacy").get_docs(Vocab()))
    larger = tmp_path / "larger"
    shutil.copytree(corpus, larger)
    DocBin(docs=6 * parts).to_disk(larger / "train.spacy")
    result = invoke(config, "--corpus", larger, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    # 55,404 words would get 1,385.
    assert trained[0]["training.max_steps"] == trained[0][TOTAL] == 1100


ELMO = ROOT / "configs" / "elmo.cfg"
TOTAL = "training.optimizer.learn_rate.total_steps"


def test_the_learning_rate_ends_with_the_steps(corpus, trained, tmp_path):
    invoke(ELMO, "--corpus", corpus, "--output", tmp_path, "--training.max_steps", 70)
    assert (trained[-1]["training.max_steps"], trained[-1][TOTAL]) == (70, 70)
    given = ("--training.max_steps", 70, f"--{TOTAL}", 90)
    invoke(ELMO, "--corpus", corpus, "--output", tmp_path, *given)
    assert (trained[-1]["training.max_steps"], trained[-1][TOTAL]) == (70, 90)
    # spaCy's CNN has no schedule that ends.
    invoke(CNN, "--corpus", corpus, "--output", tmp_path, "--training.max_steps", 70)
    assert TOTAL not in trained[-1]


def test_without_a_limit_of_steps_the_learning_rate_keeps_its_end(corpus, trained, tmp_path):
    epochs = ("--training.max_steps", 0, "--training.max_epochs", 3)
    result = invoke(ELMO, "--corpus", corpus, "--output", tmp_path, *epochs)
    assert result.exit_code == 0, result.output
    assert trained[-1]["training.max_steps"] == 0
    assert TOTAL not in trained[-1]  # 0 would end it with the warm-up


def test_steps_that_are_given_are_not_cut_off_from_the_learning_rate(corpus, trained, tmp_path):
    # A schedule that is longer than the training, and a corpus that is small.
    config = tmp_path / "longer.cfg"
    text = ELMO.read_text(encoding="utf8")
    config.write_text(text.replace("total_steps = 2500", "total_steps = 3000"), encoding="utf8")
    result = invoke(config, "--corpus", corpus, "--output", tmp_path, "--training.max_steps", 1500)
    assert result.exit_code == 0, result.output
    assert trained[-1]["training.max_steps"] == 1500
    assert TOTAL not in trained[-1]  # 300 would be over before


@pytest.mark.parametrize("steps", ["many", 2.5, -1, "true"])
def test_steps_that_are_no_number_of_steps_are_one_message(corpus, trained, tmp_path, steps):
    output = tmp_path / "out"
    run = invoke(ELMO, "--corpus", corpus, "--output", output, "--training.max_steps", steps)
    assert run.exit_code == 1
    assert "EL507" in run.output
    assert trained == []
    assert not output.exists()


@pytest.mark.parametrize("given, steps", [((), 300), (("--variables.steps", 60), None)])
def test_steps_that_are_a_variable(corpus, trained, tmp_path, given, steps):
    config = tmp_path / "variable.cfg"
    text = ELMO.read_text(encoding="utf8")
    for name in ("max_steps", "total_steps"):
        text = text.replace(f"{name} = 2500", f"{name} = ${{variables.steps}}")
    config.write_text(f"[variables]\nsteps = 2500\n\n{text}", encoding="utf8")
    result = invoke(config, "--corpus", corpus, "--output", tmp_path, *given)
    assert result.exit_code == 0, result.output
    # 60 are the steps of a small corpus already.
    assert trained[-1].get("training.max_steps") == trained[-1].get(TOTAL) == steps
