"""Memory that does not grow with what went through before, or with one long Doc."""

import gc
import weakref

import numpy as np
import pytest
import torch
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.products import FastLinear, padded
from spacy_elmo_ner.layers.windows import CONTEXT, WINDOW
from tests.fuzz.pipelines import problem


def test_words_of_a_memory_zone_leave_with_it(nlp: Language) -> None:
    nlp("Paris")  # what the pipes add once
    before = len(nlp.vocab.strings)
    with nlp.memory_zone():
        docs = list(nlp.pipe([f"xqz{i} vwk{i}" for i in range(50)]))
        assert all(problem(nlp, doc, doc.text.split()) is None for doc in docs)
        assert len(nlp.vocab.strings) >= before + 100
        del docs
    assert len(nlp.vocab.strings) == before


def test_layers_leave_with_their_docs(nlp: Language) -> None:
    docs = list(nlp.pipe(["Mary left Paris"] * 3))
    layers = weakref.ref(docs[0]._.elmo)
    del docs
    gc.collect()
    assert layers() is None
    assert len(nlp.get_pipe("elmo")._kept) == 0


def test_new_words_without_end_fill_the_word_cache_and_no_more(tiny_bilm: BiLM) -> None:
    tiny_bilm.embed([["first"]])
    cache = tiny_bilm._word_cache.value
    assert cache is not None
    cache.capacity = 100
    cache._table = None
    for i in range(20):
        tiny_bilm.embed([[f"word{i}-{j}" for j in range(30)]])
        assert 0 < len(cache) <= 100
    tiny_bilm.embed([["x" * 5_000]])
    assert "x" * 5_000 not in cache


def test_products_come_in_few_sizes_at_little_cost() -> None:
    sizes = {padded(n) for n in range(5_000)}
    assert len(sizes) < 80
    assert all(padded(n) == n for n in range(17))
    assert all(n <= padded(n) <= 1.125 * n + 7 for n in range(5_000))


@pytest.mark.parametrize("n", [0, 1, 16, 17, 63, 100, 1000])
def test_a_padded_product_is_the_product(n: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weight, x = (torch.randn(rows, 7, generator=generator) for rows in (5, n))
    bias = torch.randn(5, generator=generator)
    with torch.inference_mode():
        found = FastLinear(weight, bias)(x)
    assert found.shape == (n, 5)
    np.testing.assert_allclose(found, x @ weight.T + bias, atol=1e-5)


def test_a_long_doc_is_as_the_whole_where_its_windows_see_enough(nlp: Language) -> None:
    sentence = ["President", "John", "Smith", "met", "Reuters", "in", "Paris", "."]
    words = sentence * (2 * WINDOW // len(sentence))
    (long, short) = nlp.pipe([Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words[:WINDOW])])
    assert problem(nlp, long, words) is None
    # Up to a context from its end, the first window saw the same.
    same = WINDOW - CONTEXT
    np.testing.assert_allclose(long._.elmo[:, :same], short._.elmo[:, :same], atol=1e-5)
    # Of what repeats every few words, each later window gives the same again.
    period = len(sentence)
    middle = long._.elmo[:, 10 * period : 100 * period].reshape(3, 90, period, -1)
    np.testing.assert_allclose(middle, np.broadcast_to(middle[:, :1], middle.shape), atol=0.02)
