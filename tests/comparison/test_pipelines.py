from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from spacy_elmo_ner.comparison.pipelines import load_pipeline, size_on_disk, weights_kept_elsewhere
from spacy_elmo_ner.elmo import BiLM, pretrained
from spacy_elmo_ner.elmo.options import BiLMOptions, CharCNNOptions, LSTMOptions


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A two-unit biLM published as "tiny"."""
    options = BiLMOptions(CharCNNOptions(2, ((1, 2),), 1), LSTMOptions(dim=2, projection_dim=2))
    BiLM(options).to_disk(tmp_path / "data" / "tiny")
    monkeypatch.setattr(pretrained, "PACKAGED", tmp_path / "data")
    return tmp_path / "data" / "tiny"


def elmo(**model: object) -> Language:
    nlp = spacy.blank("en")
    config = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": "tiny", **model}
    nlp.add_pipe("elmo", config={"model": config})
    return nlp


def test_published_weights_a_pipeline_only_names_belong_to_its_size(published):
    files = sum(file.stat().st_size for file in published.iterdir())
    assert weights_kept_elsewhere(elmo(), ["elmo"]) == {"tiny": files}
    assert weights_kept_elsewhere(elmo(include_bilm=True), ["elmo"]) == {}
    assert weights_kept_elsewhere(spacy.blank("en"), []) == {}


def test_packaged_vectors_a_pipeline_only_names_belong_to_its_size():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    sizes = weights_kept_elsewhere(nlp, ["elmo_ner"])
    assert set(sizes) == {"small-en", "glove-en"} and 5e6 < sizes["glove-en"] < 10e6


def test_the_pipe_that_is_listened_to_runs_and_others_do_not(folder):
    pipeline = load_pipeline("tagged", str(folder / "tagged"))
    assert pipeline.components == ["tok2vec", "tagger", "entity_ruler"]
    assert pipeline.disabled == ["sentencizer"]
    assert pipeline.tag_components == ["tagger"]
    assert pipeline.entity_components == ["entity_ruler"]


def test_size_is_that_of_every_file(folder):
    nlp = load_pipeline("rules", str(folder / "rules")).nlp
    expected = sum(f.stat().st_size for f in (folder / "rules").rglob("*") if f.is_file())
    assert size_on_disk(nlp) == expected > 0
    assert size_on_disk(spacy.blank("en")) == 0
