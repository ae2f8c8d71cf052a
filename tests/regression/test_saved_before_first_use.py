"""A pipeline whose biLM comes from files carries it along, also when it was never called."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy

from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v1


def _nlp(name: str, **model: Any) -> Any:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo", config={"keep_layers": True, "model": {"name": name, **model}})
    return nlp


@pytest.mark.parametrize("how", ["disk", "bytes", "another process"])
def test_a_folders_weights_are_saved(bilm_dir: Path, tmp_path: Path, how: str) -> None:
    expected = _nlp(str(bilm_dir))("Mary left")._.elmo
    nlp = _nlp(str(bilm_dir))
    assert nlp.get_pipe("elmo").model.shims[0]._model is None
    nlp.to_disk(tmp_path / "pipeline")
    data, config = nlp.to_bytes(), nlp.config
    shutil.rmtree(bilm_dir)
    if how == "bytes":
        found = spacy.blank("en").from_config(config).from_bytes(data)("Mary left")._.elmo
    elif how == "disk":
        found = spacy.load(tmp_path / "pipeline")("Mary left")._.elmo
    else:
        code = (
            "import sys, numpy, spacy\n"
            "doc = spacy.load(sys.argv[1])('Mary left')\n"
            "numpy.save(sys.argv[2], doc._.elmo)\n"
        )
        out = tmp_path / "layers.npy"
        subprocess.run([sys.executable, "-c", code, tmp_path / "pipeline", out], check=True)
        found = np.load(out)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_saving_weights_that_are_gone_fails_at_once(bilm_dir: Path, tmp_path: Path) -> None:
    nlp = _nlp(str(bilm_dir))
    shutil.rmtree(bilm_dir)
    with pytest.raises(ValueError, match="EL009"):
        nlp.to_disk(tmp_path / "pipeline")


def test_published_weights_are_not_read_to_be_saved() -> None:
    nlp = _nlp("small-en")
    assert len(nlp.to_bytes()) < 100_000
    assert nlp.get_pipe("elmo").model.shims[0]._model is None


def test_a_tok2vec_initializes_without_data(bilm_dir: Path) -> None:
    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    model.initialize()
    doc = spacy.blank("en")("Mary left Paris")
    (vectors,) = model.predict([doc])
    assert vectors.shape == (3, model.get_dim("nO")) == (3, 4)
    other = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    other.initialize(X=[doc])
    np.testing.assert_array_equal(other.predict([doc])[0], vectors)
