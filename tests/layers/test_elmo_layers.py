"""The biLM's bridge to Thinc, the tok2vec on it and the listener."""

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_elmo_ner.elmo import pretrained
from spacy_elmo_ner.layers.bilm_layer import bilm_shim, build_bilm_v1
from spacy_elmo_ner.layers.elmo_listener import build_elmo_listener_v1
from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v1


@pytest.fixture
def docs() -> list[Doc]:
    vocab = spacy.blank("en").vocab
    texts = ["The cat sat", "", "A", "Nobody saw the cat again ."]
    return [Doc(vocab, words=text.split()) for text in texts]


def test_layers_are_those_of_the_bilm(bilm_dir, tiny_bilm, docs):
    model = build_bilm_v1(str(bilm_dir))
    model.initialize(X=docs)
    expected = tiny_bilm.embed([[token.text for token in doc] for doc in docs])
    for one, wanted in zip(model.predict(docs), expected, strict=True):
        np.testing.assert_allclose(one, wanted, atol=1e-6)
    assert model.get_dim("nO") == 4


def test_building_reads_no_weights(bilm_dir):
    (bilm_dir / "weights.safetensors").unlink()
    assert build_bilm_v1(str(bilm_dir)).get_dim("nO") == 4


def test_frozen_models_of_one_name_share_their_weights(bilm_dir, docs):
    one, other = build_bilm_v1(str(bilm_dir)), build_bilm_v1(str(bilm_dir))
    one.predict(docs), other.predict(docs)
    assert bilm_shim(one).bilm is bilm_shim(other).bilm
    assert bilm_shim(one.copy()).bilm is bilm_shim(one).bilm


def test_a_tok2vec_gives_one_vector_per_token(bilm_dir, docs):
    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    model.initialize(X=docs)
    assert [one.shape for one in model.predict(docs)] == [(len(doc), 4) for doc in docs]
    assert model.get_dim("nO") == 4


def test_a_frozen_bilm_keeps_its_weights_and_the_mix_learns(bilm_dir, docs):
    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    model.initialize(X=docs)
    shim = bilm_shim(model.layers[0])
    before = {k: v.clone() for k, v in shim.bilm.state_dict().items()}
    mix_before = model.layers[1].get_param("weights").copy()
    outputs, backprop = model.begin_update(docs)
    backprop([one + 1 for one in outputs])
    model.finish_update(Adam(0.1))
    assert all((before[k] == v).all() for k, v in shim.bilm.state_dict().items())
    assert (model.layers[1].get_param("weights") != mix_before).any()


def test_a_trainable_bilm_learns_on_weights_of_its_own(bilm_dir, docs):
    frozen = build_bilm_v1(str(bilm_dir))
    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)), trainable=True)
    model.initialize(X=docs)
    before = frozen.predict(docs)
    for _ in range(3):
        outputs, backprop = model.begin_update(docs)
        backprop([one + 1 for one in outputs])
        model.finish_update(Adam(0.1))
    assert np.abs(model.predict(docs)[0] - outputs[0]).max() > 1e-3
    np.testing.assert_array_equal(frozen.predict(docs)[0], before[0])


def test_averaged_parameters_reach_torch_and_go_again(bilm_dir, docs):
    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)), trainable=True)
    model.initialize(X=docs)
    optimizer = Adam(0.5, use_averages=True)
    for _ in range(3):
        outputs, backprop = model.begin_update(docs)
        backprop([one + 1 for one in outputs])
        model.finish_update(optimizer)
    now = model.predict(docs)[0]
    with model.use_params(optimizer.averages):
        assert np.abs(model.predict(docs)[0] - now).max() > 1e-4
    np.testing.assert_array_equal(model.predict(docs)[0], now)


def test_weights_from_a_folder_are_saved_with_the_model(bilm_dir, docs):
    model = build_bilm_v1(str(bilm_dir))
    model.initialize(X=docs)
    expected = model.predict(docs)
    data = model.to_bytes()
    for path in bilm_dir.iterdir():
        path.unlink()
    loaded = build_bilm_v1(str(bilm_dir / "gone")).from_bytes(data)
    np.testing.assert_array_equal(loaded.predict(docs)[0], expected[0])


def test_packaged_weights_are_saved_as_name_and_sha256(docs):
    model = build_bilm_v1("small-en")
    model.initialize(X=docs)
    assert len(model.to_bytes()) < 2000
    # Saved with its weights, also where they were not read yet; in float16, as they came.
    assert 9_300_000 < len(build_bilm_v1("small-en", include_bilm=True).to_bytes()) < 9_500_000
    included = build_bilm_v1("small-en", include_bilm=True)
    included.initialize(X=docs)
    assert len(included.to_bytes()) > 1_000_000


def test_a_pipeline_refuses_packaged_weights_of_another_sha256(docs, monkeypatch):
    model = build_bilm_v1("small-en")
    model.initialize(X=docs)
    data = model.to_bytes()
    monkeypatch.setattr("spacy_elmo_ner.layers.bilm_layer.published_sha256", lambda name: "0" * 64)
    monkeypatch.setattr("spacy_elmo_ner.layers.bilm_layer.packaged_name", lambda sha256: None)
    with pytest.raises(ValueError, match=r"EL102.*small-en.*000000"):
        build_bilm_v1("small-en").from_bytes(data)


def test_a_pipeline_finds_its_weights_under_the_name_they_have_since(
    docs, monkeypatch, bilm_dir, make_bilm
):
    """A later version has better weights by the same name, and the earlier ones by another."""
    monkeypatch.setattr(pretrained, "PACKAGED", bilm_dir.parent)
    model = build_bilm_v1("bilm")
    model.initialize(X=docs)
    expected, data = model.predict(docs), model.to_bytes()
    bilm_dir.rename(bilm_dir.with_name("bilm-1"))
    make_bilm(seed=1).to_disk(bilm_dir)
    loaded = build_bilm_v1("bilm").from_bytes(data)
    for found, own in zip(loaded.predict(docs), expected, strict=True):
        np.testing.assert_array_equal(found, own)
    assert b"bilm-1" in loaded.to_bytes()


def test_a_listener_without_upstream_says_what_to_add(docs):
    with pytest.raises(ValueError, match=r"EL103.*add_pipe"):
        build_elmo_listener_v1(4).predict(docs)


def test_weights_of_another_shape_are_refused(bilm_dir, docs):
    from spacy_elmo_ner.layers.residual_bilstm import build_residual_bilstm_v1

    x = [np.zeros((2, 3), dtype="float32")]
    small, large = (build_residual_bilstm_v1(units=units) for units in (2, 3))
    small.initialize(X=x), large.initialize(X=x)
    data = small.shims[0].to_bytes()
    with pytest.raises(ValueError, match="EL101"):
        large.shims[0].from_bytes(data)


def test_weights_that_came_with_a_pipeline_are_not_replaced_by_their_name(docs, bilm_dir):
    """Fine-tuned weights of a published biLM, loaded as frozen and saved again."""
    trained = build_bilm_v1("small-en")
    bilm_shim(trained).trainable = True
    with torch.no_grad():
        bilm_shim(trained).bilm.char_cnn.projection.bias += 1
    expected = trained.predict(docs)[0]
    loaded = build_bilm_v1("small-en").from_bytes(trained.to_bytes())
    for frozen in (loaded, loaded.copy()):
        assert not bilm_shim(frozen).is_saved_by_name
        again = build_bilm_v1("small-en").from_bytes(frozen.to_bytes())
        np.testing.assert_array_equal(again.predict(docs)[0], expected)
    by_name = build_bilm_v1("small-en").to_bytes()
    assert bilm_shim(loaded.from_bytes(by_name)).is_saved_by_name


def test_weights_of_one_name_are_the_same_only_if_they_are(docs, bilm_dir):
    model = build_bilm_v1(str(bilm_dir))
    bilm_shim(model).trainable = True
    with torch.no_grad():
        bilm_shim(model).bilm.char_cnn.projection.bias += 1
    came_along = build_bilm_v1(str(bilm_dir)).from_bytes(model.to_bytes())
    unread, read = build_bilm_v1(str(bilm_dir)), build_bilm_v1(str(bilm_dir))
    read.predict(docs)
    for named in (unread, read):
        assert not bilm_shim(came_along).same_weights(bilm_shim(named))
        assert not bilm_shim(named).same_bilm(bilm_shim(came_along))
    assert bilm_shim(unread).same_weights(bilm_shim(read))
    copied = build_bilm_v1(str(bilm_dir)).from_bytes(read.to_bytes())
    assert bilm_shim(copied).same_weights(bilm_shim(read))
