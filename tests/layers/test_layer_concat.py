import numpy as np
import pytest

from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.elmo_listener import build_elmo_listener_v2
from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v2
from spacy_elmo_ner.layers.layer_concat import layer_concat


def test_layers_stand_side_by_side_and_the_word_once():
    word = np.asarray([[1, 2], [3, 4], [5, 6]], dtype="float32")
    states = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    layers = np.concatenate([np.concatenate([word, word], axis=1)[None], states])
    (found,) = layer_concat(3, 4).predict([layers])
    np.testing.assert_array_equal(found, np.concatenate([word, *states], axis=1))


def test_nothing_of_the_packaged_bilm_is_left_out():
    """Its layer 0 does have each word's vector twice."""
    model = build_bilm_v1("small-en")
    doc = [*map(str, range(3)), "Paris"]
    layers = model.shims[0].bilm.embed([doc])[0]
    np.testing.assert_array_equal(layers[0, :, :128], layers[0, :, 128:])


def test_the_width_is_known_from_the_settings_or_the_data():
    assert layer_concat(3, 256).get_dim("nO") == 640
    model = layer_concat(0)
    assert not model.has_dim("nO")
    model.initialize(X=[np.zeros((3, 2, 4), dtype="float32")])
    assert model.get_dim("nO") == 10


@pytest.mark.parametrize(("combine", "width"), [("concatenate", 640), ("mix", 256)])
def test_listener_and_tok2vec_are_as_wide_as_what_they_give(combine, width):
    assert build_elmo_listener_v2(256, combine=combine).get_dim("nO") == width
    tok2vec = build_elmo_tok2vec_v2(build_bilm_v1("small-en"), combine=combine)
    assert tok2vec.get_dim("nO") == width


def test_an_unknown_combination_is_an_error():
    with pytest.raises(ValueError, match=r"EL128.*'sum'"):
        build_elmo_listener_v2(256, combine="sum")
