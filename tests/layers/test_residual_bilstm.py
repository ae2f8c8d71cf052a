import numpy as np
import torch
from thinc.api import Adam

from spacy_elmo_ner.layers.bilstm import ResidualBiLSTM
from spacy_elmo_ner.layers.residual_bilstm import build_residual_bilstm_v1


def docs(*lengths: int, width: int = 6) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, width)).astype("float32") for n in lengths]


def layer(**settings):
    model = build_residual_bilstm_v1(units=5, **settings)
    model.initialize(X=docs(3))
    return model


def test_a_doc_is_encoded_the_same_beside_any_other():
    model = layer()
    batch = docs(3, 9, 1, 0, 9, 4)
    together = model.predict(batch)
    assert [one.shape for one in together] == [(len(doc), 10) for doc in batch]
    for doc, expected in zip(batch, together, strict=True):
        np.testing.assert_allclose(model.predict([doc])[0], expected, atol=1e-6)


def test_the_output_is_the_sum_of_both_bilstms():
    module = ResidualBiLSTM(6, 5, 0.0, 0.0).eval()
    (doc,) = docs(7)
    x1, _ = module.lower(torch.from_numpy(doc))
    x2, _ = module.upper(x1)
    encoded = layer()
    encoded.shims[0]._model = module
    np.testing.assert_allclose(encoded.predict([doc])[0], (x1 + x2).detach(), atol=1e-6)


def test_training_without_dropout_is_close_to_prediction():
    model = layer(dropout=0.0, recurrent_dropout=0.0)
    batch = docs(3, 8)
    trained, _ = model.begin_update(batch)
    for a, b in zip(trained, model.predict(batch), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-2)  # bfloat16 products


def test_dropout_changes_training_only():
    model = layer(dropout=0.5, recurrent_dropout=0.5)
    batch = docs(6)
    assert np.abs(model.begin_update(batch)[0][0] - model.begin_update(batch)[0][0]).max() > 1e-2
    np.testing.assert_array_equal(model.predict(batch)[0], model.predict(batch)[0])


def test_gradients_of_the_inputs_come_back_in_the_docs_order():
    model = layer(dropout=0.0, recurrent_dropout=0.0)
    batch = docs(2, 5, 3)
    outputs, backprop = model.begin_update(batch)
    d_outputs = [np.zeros_like(one) for one in outputs]
    d_outputs[1][:] = 1.0
    d_inputs = backprop(d_outputs)
    assert [one.shape for one in d_inputs] == [one.shape for one in batch]
    assert not d_inputs[0].any() and d_inputs[1].any() and not d_inputs[2].any()


def test_docs_without_tokens_pass():
    model = layer()
    outputs, backprop = model.begin_update(docs(0, 0))
    assert [one.shape for one in outputs] == [(0, 10), (0, 10)]
    assert [one.shape for one in backprop(outputs)] == [(0, 6), (0, 6)]


def test_weights_survive_bytes_without_pickle():
    model = layer()
    other = build_residual_bilstm_v1(units=5).from_bytes(model.to_bytes())
    batch = docs(4)
    np.testing.assert_array_equal(other.predict(batch)[0], model.predict(batch)[0])


def test_initializing_again_forgets_what_was_learned():
    model = layer()
    batch = docs(3, 5)
    before = model.shims[0].module
    outputs, backprop = model.begin_update(batch)
    backprop(outputs)
    model.finish_update(Adam(0.1))
    learned = model.predict(batch)[0]
    model.initialize(X=batch)
    torch.manual_seed(1)
    assert model.shims[0].module is not before
    expected = layer()
    torch.manual_seed(1)
    np.testing.assert_array_equal(model.predict(batch)[0], expected.predict(batch)[0])
    assert np.abs(model.predict(batch)[0] - learned).max() > 1e-2
