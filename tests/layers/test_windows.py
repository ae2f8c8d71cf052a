import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.layers.bilm_layer import bilm_shim, build_bilm_v1
from spacy_elmo_ner.layers.residual_bilstm import build_residual_bilstm_v1
from spacy_elmo_ner.layers.windows import CONTEXT, WINDOW, windows


@pytest.mark.parametrize("n", [0, 1, WINDOW, WINDOW + 1, WINDOW + CONTEXT, 2 * WINDOW, 5000, 5001])
def test_windows_keep_each_token_once_with_context_around_it(n):
    found = windows(n, offset=7)
    kept = [i for w in found for i in range(w.first, w.last)]
    assert kept == list(range(7, 7 + n))
    for w in found:
        assert w.start <= w.first < w.last <= w.end and w.end - w.start <= WINDOW
        assert w.start == 7 or w.first - w.start >= CONTEXT
        assert w.end == 7 + n or w.end - w.last >= CONTEXT


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr("spacy_elmo_ner.layers.windows.WINDOW", 12)
    monkeypatch.setattr("spacy_elmo_ner.layers.windows.CONTEXT", 4)


def test_a_long_doc_is_close_to_one_run_over_all_of_it(small_windows, bilm_dir):
    words = [f"w{i % 7}" for i in range(45)]
    docs = [Doc(Vocab(), words=ws) for ws in (["one"], [], words, words[:12])]
    model = build_bilm_v1(str(bilm_dir))
    model.initialize(X=docs)
    found = model.predict(docs)
    whole = bilm_shim(model).bilm.embed([[t.text for t in doc] for doc in docs])
    for doc, layers, expected in zip(docs, found, whole, strict=True):
        assert layers.shape == expected.shape and layers.shape[1] == len(doc)
        if len(doc) <= 12:
            np.testing.assert_allclose(layers, expected, atol=1e-6)
        else:
            np.testing.assert_allclose(layers[0], expected[0], atol=1e-6)
            assert 0 < np.abs(layers[1:] - expected[1:]).mean() < 0.05


def test_training_a_bilm_on_a_long_doc_gives_each_token_its_gradient(small_windows, bilm_dir):
    docs = [Doc(Vocab(), words=[f"w{i}" for i in range(30)]), Doc(Vocab(), words=[])]
    model = build_bilm_v1(str(bilm_dir))
    model.initialize(X=docs)
    bilm_shim(model).trainable = True
    layers, backprop = model.begin_update(docs)
    np.testing.assert_allclose(layers[0], model.predict(docs)[0], atol=1e-6)
    backprop([np.ones_like(one) for one in layers])
    gradients = [p.grad for p in bilm_shim(model).bilm.parameters()]
    assert all(g is not None and torch.isfinite(g).all() for g in gradients)
    assert any(g.abs().sum() > 0 for g in gradients)


def test_the_encoder_cuts_long_docs_and_hands_back_every_gradient(small_windows):
    rng = np.random.default_rng(0)
    docs = [rng.normal(size=(n, 3)).astype("float32") for n in (30, 0, 5)]
    model = build_residual_bilstm_v1(units=2, dropout=0.0, recurrent_dropout=0.0)
    model.initialize(X=docs)
    predicted = model.predict(docs)
    trained, backprop = model.begin_update(docs)
    for one, other, doc in zip(predicted, trained, docs, strict=True):
        assert one.shape == (len(doc), 4)
        np.testing.assert_allclose(one, other, atol=2e-2)  # bfloat16 products in training
    gradients = backprop([np.ones_like(one) for one in trained])
    assert [g.shape for g in gradients] == [doc.shape for doc in docs]
    assert (np.abs(gradients[0]).sum(axis=1) > 0).all()
