"""A pipeline that reads its vocabulary's vectors keeps them when it is made smaller."""

from pathlib import Path

import numpy as np
import spacy

from spacy_elmo_ner.pipeline.compact import compact_folder
from tests.pipeline.conftest import annotation, make_examples

TEXT = "Mary Smith met Reuters in Paris ."


def test_compact_saves_vectors_of_the_vocabulary(bilm_dir: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    generator = np.random.default_rng(0)
    for word in TEXT.split():
        nlp.vocab.set_vector(word, generator.normal(size=3).astype("float32"))
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    nlp.add_pipe("elmo", config={"model": bilm})
    tok2vec = {
        "@architectures": "spacy_elmo_ner.ElmoConcat.v2",
        "elmo": {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4},
        "embed": None,
        "vectors": {"@architectures": "spacy_elmo_ner.WordVectors.v1", "name": None},
    }
    encoder = {"units": 4, "dropout": 0.0, "recurrent_dropout": 0.0}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=optimizer)
    nlp.to_disk(tmp_path / "nlp")
    compact_folder(tmp_path / "nlp", tmp_path / "small")
    compact_folder(tmp_path / "small", tmp_path / "again")
    found = spacy.load(tmp_path / "again")
    assert found.vocab.vectors.n_keys == len(TEXT.split())
    assert annotation(found(TEXT)) == annotation(spacy.load(tmp_path / "small")(TEXT))
    assert found("Paris")[0].vector.tolist() == nlp("Paris")[0].vector.tolist()
