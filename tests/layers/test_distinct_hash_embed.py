import numpy as np
import pytest
import spacy
from spacy.ml.models import MultiHashEmbed
from spacy.tokens import Doc
from thinc.api import fix_random_seed, set_dropout_rate

from spacy_elmo_ner.layers.distinct_hash_embed import build_distinct_hash_embed_v1

ATTRS, ROWS = ["NORM", "PREFIX", "SHAPE"], [50, 20, 30]


@pytest.fixture
def docs() -> list[Doc]:
    nlp = spacy.blank("en")
    words = "The cat can't see the cat in Paris , The Hague or Paris"
    return [nlp(words), nlp(""), nlp("cat"), Doc(nlp.vocab, words=["the", "the", "can"])]


def models(docs):
    fix_random_seed(0)
    ours = build_distinct_hash_embed_v1(6, ATTRS, ROWS)
    ours.initialize(X=docs)
    fix_random_seed(0)
    spacys = MultiHashEmbed(width=6, attrs=ATTRS, rows=ROWS, include_static_vectors=False)
    spacys.initialize(X=docs)
    return ours, spacys


def parameters(model):
    """By name and order of the layers, which differ in what wraps them."""
    return [
        (node.name, name, node.get_param(name), node.get_grad(name))
        for node in model.walk()
        for name in node.param_names
    ]


def test_results_and_gradients_are_those_of_multi_hash_embed(docs):
    ours, spacys = models(docs)
    assert ours.get_dim("nO") == spacys.get_dim("nO") == 6
    found, backprop = ours.begin_update(docs)
    expected, expected_backprop = spacys.begin_update(docs)
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=one.shape).astype("f") for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    backprop(gradients)
    expected_backprop(gradients)
    both = list(zip(parameters(ours), parameters(spacys), strict=True))
    assert len(both) == 3 + 2 + 2  # tables; maxout; layer norm
    for (name, part, value, gradient), (*names, other, other_gradient) in both:
        assert [name, part] == names
        np.testing.assert_array_equal(value, other)
        np.testing.assert_allclose(gradient, other_gradient, atol=1e-5)


@pytest.mark.parametrize("attrs", [ATTRS, ATTRS[:1]], ids=["three", "one"])
def test_few_tokens_get_the_vectors_that_many_get(docs, attrs):
    """Few run without Thinc's chain."""
    fix_random_seed(0)
    model = build_distinct_hash_embed_v1(6, attrs, ROWS[: len(attrs)])
    model.initialize(X=docs)
    for node in model.walk():
        for name in node.param_names:
            node.set_param(name, node.get_param(name) + 0.1)
    many = model.predict(docs * 10)
    for found, expected in zip(model.predict(docs), many[: len(docs)], strict=True):
        assert found.shape == expected.shape and found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [one.shape for one in model.predict([Doc(docs[0].vocab)])] == [(0, 6)]


def test_each_distinct_word_is_worked_out_once(docs, monkeypatch):
    ours, _ = models(docs)
    (distinct,) = [node for node in ours.walk() if node.name == "distinct_rows"]
    rows = []
    layer = distinct.layers[0]
    monkeypatch.setattr(
        layer, "_func", lambda model, X, is_train: (rows.append(len(X)), _zeros(X))[1]
    )
    docs *= 10
    ours.predict(docs)
    attributes = [tuple(row) for doc in docs for row in doc.to_array(ATTRS)]
    assert rows == [len(set(attributes))] and rows[0] < len(attributes)


def test_equal_words_are_dropped_out_apart(docs):
    ours, spacys = models(docs)
    for model in (ours, spacys):
        set_dropout_rate(model, 0.5)
        fix_random_seed(1)
        outputs, _ = model.begin_update(docs[-1:])
        assert (outputs[0][0] != outputs[0][1]).any()  # "the" and "the"


def _zeros(X):
    return np.zeros((len(X), 6), dtype="f"), lambda d: d


def test_attributes_and_rows_must_go_together():
    with pytest.raises(ValueError, match="shorter"):
        build_distinct_hash_embed_v1(6, ["NORM", "SHAPE"], [50])


def test_weights_load_again(docs):
    ours, _ = models(docs)
    other = build_distinct_hash_embed_v1(6, ATTRS, ROWS).from_bytes(ours.to_bytes())
    for one, same in zip(ours.predict(docs), other.predict(docs), strict=True):
        np.testing.assert_array_equal(one, same)
