"""configs/transformer.cfg: a fair peer of the other configs, and one that spaCy can build."""

from pathlib import Path

import pytest
from spacy.util import load_config

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.mark.parametrize("section", ["corpora", "nlp"])
def test_it_reads_the_same_data_as_spacys_cnn(section):
    transformer, cnn = (load_config(CONFIGS / f"{name}.cfg") for name in ("transformer", "tok2vec"))
    ours, theirs = dict(transformer[section]), dict(cnn[section])
    for values in (ours, theirs):
        values.pop("batch_size", None)  # how fast it predicts, not what
        values["pipeline"] = values.get("pipeline", [])[1:]  # what it embeds with
    assert ours == theirs


def test_it_chooses_its_best_by_the_same_score_as_spacys_cnn():
    transformer, cnn = (load_config(CONFIGS / f"{name}.cfg") for name in ("transformer", "tok2vec"))
    assert transformer["training"]["score_weights"] == cnn["training"]["score_weights"]


def test_its_pipeline_can_be_built():
    pytest.importorskip("spacy_transformers", reason="needs the extra [transformers]")
    from spacy.util import load_model_from_config

    config = load_config(CONFIGS / "transformer.cfg")
    nlp = load_model_from_config(config, auto_fill=True)
    assert nlp.pipe_names == ["transformer", "tagger", "ner"]
    listeners = nlp.get_pipe("transformer").listeners
    for name in ("tagger", "ner"):
        assert any(node in listeners for node in nlp.get_pipe(name).model.walk())
