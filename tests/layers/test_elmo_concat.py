import numpy as np
import pytest
import spacy
from spacy.ml.models import MultiHashEmbed
from spacy.tokens import Doc

from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.elmo_concat import build_elmo_concat_v2
from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v1
from spacy_elmo_ner.layers.word_vectors import build_word_vectors_v1


@pytest.fixture
def docs() -> list[Doc]:
    vocab = spacy.blank("en").vocab
    return [Doc(vocab, words=words) for words in (["The", "cat"], [], ["Paris"])]


def test_both_stand_side_by_side(bilm_dir, docs):
    elmo = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    embed = MultiHashEmbed(
        width=6, attrs=["NORM", "SHAPE"], rows=[50, 50], include_static_vectors=False
    )
    model = build_elmo_concat_v2(elmo, embed)
    model.initialize(X=docs)
    assert model.get_dim("nO") == 10
    outputs, backprop = model.begin_update(docs)
    assert [one.shape for one in outputs] == [(2, 10), (0, 10), (1, 10)]
    np.testing.assert_allclose(outputs[0][:, :4], elmo.predict(docs)[0], atol=1e-6)
    backprop(outputs)


def test_vectors_stand_behind_elmo_and_nothing_else_is_needed(bilm_dir, docs):
    elmo = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    vectors = build_word_vectors_v1()
    model = build_elmo_concat_v2(elmo, vectors=vectors)
    assert model.get_dim("nO") == 54
    model.initialize(X=docs)
    outputs, backprop = model.begin_update(docs)
    assert [one.shape for one in outputs] == [(2, 54), (0, 54), (1, 54)]
    np.testing.assert_array_equal(outputs[0][:, 4:], vectors.predict(docs)[0])
    backprop(outputs)


def test_elmo_alone_is_elmo(bilm_dir, docs):
    elmo = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    assert build_elmo_concat_v2(elmo) is elmo
