"""A pipeline with word vectors annotates the same wherever it goes: copied, saved, elsewhere."""

import copy
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vectors import Vectors
from thinc.api import fix_random_seed

from spacy_elmo_ner.pipeline.save import save_pipeline

TEXTS = ["Bush visited Paris and LONDON.", "", "Rome fell.", "He met Xyzzyqq in rome"] * 3


def build(bilm_dir: Path, vectors: str | None) -> Language:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if vectors is None:
        words = ["bush", "Paris", "rome"]
        data = np.random.default_rng(0).normal(size=(3, 5)).astype("f")
        nlp.vocab.vectors = Vectors(
            strings=nlp.vocab.strings, data=data, keys=[nlp.vocab.strings.add(w) for w in words]
        )
    tok2vec = {
        "@architectures": "spacy_elmo_ner.ElmoConcat.v2",
        "elmo": {
            "@architectures": "spacy_elmo_ner.ElmoTok2Vec.v1",
            "bilm": {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)},
        },
        "vectors": {"@architectures": "spacy_elmo_ner.WordVectors.v1", "name": vectors},
    }
    encoder = {"units": 8, "dropout": 0.0, "recurrent_dropout": 0.0}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    words = ["Bush", "saw", "Paris", "and", "Rome", "."]
    gold = Doc(nlp.vocab, words=words, ents=["B-per", "O", "B-geo", "O", "B-geo", "O"])
    examples = [Example(Doc(nlp.vocab, words=words), gold)]
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.02
    for _ in range(15):
        nlp.update(examples, sgd=sgd)
    return nlp


def scores(nlp: Language) -> list[np.ndarray]:
    pipe = nlp.get_pipe("elmo_ner")
    return [np.asarray(one) for one in pipe.predict_scores([nlp.make_doc(text) for text in TEXTS])]


def entities(docs) -> list[list[tuple[str, str]]]:
    return [[(ent.text, ent.label_) for ent in doc.ents] for doc in docs]


@pytest.fixture(params=["glove-en", None], ids=["packaged", "of the vocab"])
def nlp(request, bilm_dir) -> Language:
    return build(bilm_dir, request.param)


def test_copied_and_saved_it_scores_the_same(nlp, tmp_path):
    expected = scores(nlp)
    assert any(one.any() for one in expected)
    save_pipeline(nlp, tmp_path / "saved")
    others = [copy.deepcopy(nlp), spacy.load(tmp_path / "saved")]
    others.append(spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes()))
    for other in others:
        for one, wanted in zip(scores(other), expected, strict=True):
            np.testing.assert_allclose(one, wanted, atol=1e-5)
    size = sum(file.stat().st_size for file in (tmp_path / "saved").rglob("*") if file.is_file())
    assert size < 1_000_000  # the packaged table is named, not written


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_find_the_same_entities(bilm_dir, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    nlp = build(bilm_dir, "glove-en")
    expected = entities(nlp.pipe(TEXTS))
    assert any(expected)
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        assert entities(nlp.pipe(TEXTS, n_process=2, batch_size=4)) == expected
    finally:
        multiprocessing.set_start_method(before, force=True)
