"""`elmo train` takes the quickstart's base_config.cfg and a corpus.json written by hand."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from tests.pipeline.conftest import make_examples

# What spaCy's quickstart gives for English, ner, CPU, efficiency: no seed, no learn_rate.
BASE_CONFIG = """
[paths]
train = null
dev = null
vectors = null
[system]
gpu_allocator = null
[nlp]
lang = "en"
pipeline = ["tok2vec","ner"]
batch_size = 1000
[components]
[components.tok2vec]
factory = "tok2vec"
[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"
[components.tok2vec.model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = ${components.tok2vec.model.encode.width}
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [50, 10, 25, 25]
include_static_vectors = false
[components.tok2vec.model.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 16
depth = 1
window_size = 1
maxout_pieces = 2
[components.ner]
factory = "ner"
[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 8
maxout_pieces = 2
use_upper = true
nO = null
[components.ner.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
max_length = 0
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}
max_length = 0
[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
[training.optimizer]
@optimizers = "Adam.v1"
[training.batcher]
@batchers = "spacy.batch_by_words.v1"
discard_oversize = false
tolerance = 0.2
[training.batcher.size]
@schedules = "compounding.v1"
start = 100
stop = 1000
compound = 1.001
[initialize]
vectors = ${paths.vectors}
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    docs = [example.reference for example in make_examples(spacy.blank("en"))]
    for part in ("train", "dev"):
        DocBin(docs=docs).to_disk(folder / f"{part}.spacy")
    (folder / "corpus.json").write_text('{"name": "ours"}', encoding="utf8")
    return folder


def train(config: Path, corpus: Path, out: Path):
    steps = ("--training.max_steps", "2", "--training.eval_frequency", "1")
    arguments = ["train", config, "--corpus", corpus, "--output", out]
    return CliRunner().invoke(elmo_cli, [*map(str, arguments), *steps])


@pytest.mark.parametrize("left_out", ["", "[training.optimizer]\n@optimizers", "[paths]"])
def test_a_base_config_is_filled_and_trained(left_out: str, corpus: Path, tmp_path: Path):
    """Also where a section that the budget or the paths are set in is missing."""
    text = BASE_CONFIG
    if left_out.startswith("[training.optimizer]"):
        text = text.replace('[training.optimizer]\n@optimizers = "Adam.v1"\n', "")
    if left_out == "[paths]":
        start = "[paths]\ntrain = null\ndev = null\nvectors = null\n"
        text = text.replace(start, "").replace("vectors = ${paths.vectors}", "vectors = null")
        text = text.replace("${paths.train}", "null").replace("${paths.dev}", "null")
    config = tmp_path / "base_config.cfg"
    config.write_text(text, encoding="utf8")
    done = train(config, corpus, tmp_path / "out")
    if left_out == "[paths]":  # nothing in it asks for the corpus
        assert done.exit_code == 1 and "EL506" in done.output, done.output
        return
    assert done.exit_code == 0, (done.output, done.exception)
    assert spacy.load(tmp_path / "out/model-best").pipe_names == ["tok2vec", "ner"]
    filled = (tmp_path / "out/config.cfg").read_text(encoding="utf8")
    assert "learn_rate" in filled and "seed = " in filled
    assert config.read_text(encoding="utf8") == text


@pytest.mark.parametrize(
    "description", [{}, {"parts": {}}, {"parts": {"train": {"n": 3}}}, ["ours"], None]
)
def test_what_corpus_json_says_does_not_matter(description, corpus: Path, tmp_path: Path):
    (corpus / "corpus.json").write_text(json.dumps(description), encoding="utf8")
    config = tmp_path / "base_config.cfg"
    config.write_text(BASE_CONFIG, encoding="utf8")
    done = train(config, corpus, tmp_path / "out")
    assert done.exit_code == 0, (done.output, done.exception)
    # A small corpus is passed over many times: the budget was set from the texts themselves.
    assert json.loads((tmp_path / "out/model-best/meta.json").read_text("utf8"))["performance"]
    assert "max_epochs = 0" in (tmp_path / "out/model-best/config.cfg").read_text("utf8")
