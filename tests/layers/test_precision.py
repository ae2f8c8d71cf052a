import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.elmo import kernels
from spacy_elmo_ner.layers import torch_shim
from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.residual_bilstm import build_residual_bilstm_v1

has_bfloat16 = pytest.mark.skipif(
    not kernels.multiplies_bfloat16(), reason="This CPU has no products of bfloat16."
)


def test_without_products_of_bfloat16_every_precision_is_exact(monkeypatch):
    monkeypatch.setattr(torch_shim, "multiplies_bfloat16", lambda: False)
    docs = [Doc(Vocab(), words=["Mary", "left", "Paris", "."])]
    exact, rough = (build_bilm_v1("small-en", precision=p) for p in ("exact", "bf16"))
    for model in (exact, rough):
        model.initialize(X=docs)
    np.testing.assert_array_equal(rough.predict(docs)[0], exact.predict(docs)[0])


@has_bfloat16
def test_bfloat16_layers_are_close_to_exact_ones_and_float32():
    words = ["Mary", "left", "Paris", "on", "Monday", "."]
    docs = [Doc(Vocab(), words=words), Doc(Vocab(), words=[])]
    exact, rough = (build_bilm_v1("small-en", precision=p) for p in ("exact", "bf16"))
    for model in (exact, rough):
        model.initialize(X=docs)
    (expected, none), (found, empty) = exact.predict(docs), rough.predict(docs)
    assert found.dtype == np.float32 and empty.shape == none.shape
    difference = np.abs(found - expected).max()
    assert 1e-4 < difference < 0.2
    cosine = (found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.999
    # The biLM is shared: one precision leaves no trace in the other.
    np.testing.assert_allclose(exact.predict(docs)[0], expected, atol=1e-6)


@has_bfloat16
def test_bfloat16_encodes_close_to_exact_and_trains_the_same():
    x = [np.random.default_rng(0).normal(size=(9, 6)).astype("float32")]
    exact, rough = (
        build_residual_bilstm_v1(units=8, dropout=0.0, recurrent_dropout=0.0, precision=p)
        for p in ("exact", "bf16")
    )
    exact.initialize(X=x)
    rough.initialize(X=x)
    rough.from_bytes(exact.to_bytes())
    (expected,), (found,) = exact.predict(x), rough.predict(x)
    assert found.dtype == np.float32
    assert 1e-6 < np.abs(found - expected).max() < 0.02
    np.testing.assert_array_equal(rough.begin_update(x)[0][0], exact.begin_update(x)[0][0])


@pytest.mark.parametrize("build", [build_bilm_v1, build_residual_bilstm_v1])
def test_an_unknown_precision_is_refused(build):
    with pytest.raises(ValueError, match=r"EL107.*'int3'.*'exact', 'bf16'"):
        build(precision="int3")
