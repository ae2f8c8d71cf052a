"""Layers kept while training: exactly those computed, within bounds, in one process."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.layers.bilm_layer import bilm_shim
from spacy_elmo_ner.pipeline import layers_cache
from spacy_elmo_ner.pipeline.elmo import Elmo
from spacy_elmo_ner.pipeline.layers_cache import LayersCache

from .conftest import annotation, make_examples

ALL = ("elmo", "elmo_tagger", "elmo_ner")


@pytest.fixture
def docs() -> list[Doc]:
    vocab = Vocab()
    return [Doc(vocab, words=words) for words in (["Paris", "fell"], ["Mary"], ["fell", "Paris"])]


@pytest.fixture
def layers(docs: list[Doc]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, len(doc), 4)).astype("f") for doc in docs]


def counted(elmo: Elmo, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many Docs each run of the biLM gets from here on."""
    calls: list[int] = []
    bilm = bilm_shim(elmo.model).bilm
    compute = bilm.iter_layers
    monkeypatch.setattr(
        bilm, "iter_layers", lambda words, **kw: (calls.append(len(words)), compute(words, **kw))[1]
    )
    return calls


def test_what_is_put_comes_back_bit_for_bit(docs, layers):
    cache = LayersCache(3, 4, max_bytes=10_000)
    cache.put(docs[:2], layers[:2])
    for doc, one in zip(docs[:2], layers[:2], strict=True):
        found = cache.get(doc)
        np.testing.assert_array_equal(found, one)
        assert found.flags.writeable
    assert cache.get(docs[2]) is None  # the same words in another order
    cache.put(docs, layers)
    assert len(cache) == 3
    assert cache.n_bytes == sum(one.nbytes for one in layers)


def test_a_doc_without_tokens_is_not_kept():
    cache = LayersCache(3, 4, max_bytes=10_000)
    cache.put([Doc(Vocab())], [np.zeros((3, 0, 4), dtype="f")])
    assert len(cache) == 0


def test_docs_past_the_bound_are_not_kept(docs, layers):
    cache = LayersCache(3, 4, max_bytes=layers[0].nbytes + layers[1].nbytes)
    cache.put(docs, layers)
    assert [cache.get(doc) is not None for doc in docs] == [True, True, False]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_empty(docs, layers, copied):
    cache = LayersCache(3, 4, max_bytes=10_000)
    cache.put(docs, layers)
    other = copied(cache)
    assert len(other) == 0
    other.put(docs[:1], layers[:1])
    np.testing.assert_array_equal(other.get(docs[0]), layers[0])


def test_a_forked_process_does_not_touch_the_file(docs, layers, monkeypatch):
    cache = LayersCache(3, 4, max_bytes=10_000)
    cache.put(docs[:1], layers[:1])
    monkeypatch.setattr(layers_cache.os, "getpid", lambda: -1)
    assert cache.get(docs[0]) is None
    cache.put(docs, layers)
    assert len(cache) == 1


def test_a_full_disk_ends_it_with_a_warning(docs, layers):
    class FullAfterOne:
        def __init__(self, file) -> None:
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data) -> int:
            if self.file.tell():
                raise OSError(28, "No space left on device")
            return self.file.write(data)

    cache = LayersCache(3, 4, max_bytes=10_000)
    cache._file = FullAfterOne(cache._file)
    with pytest.warns(UserWarning, match=r"WL101.*TMPDIR"):
        cache.put(docs, layers)
    np.testing.assert_array_equal(cache.get(docs[0]), layers[0])
    assert cache.get(docs[1]) is None
    cache.put(docs, layers)  # without another warning
    assert len(cache) == 1


def test_training_runs_the_bilm_once_for_the_same_words(
    make_nlp: Callable[..., Language], monkeypatch
):
    nlp = make_nlp(*ALL)
    calls = counted(nlp.get_pipe("elmo"), monkeypatch)
    words = ["Reuters", "left", "Paris"]
    reference = Doc(nlp.vocab, words=words, tags=["NNP", "VBD", "NNP"], ents=["O", "O", "O"])
    for _ in range(3):
        nlp.update([Example(Doc(nlp.vocab, words=words), reference)])
    assert calls == [1]


def test_training_with_and_without_a_cache_is_the_same(make_nlp, monkeypatch):
    def trained(size: float) -> tuple[Language, list[int]]:
        nlp = make_nlp(*ALL, training_cache=size)
        calls = counted(nlp.get_pipe("elmo"), monkeypatch)
        optimizer = nlp.create_optimizer()
        for _ in range(4):
            nlp.update(make_examples(nlp), sgd=optimizer)
        return nlp, calls

    kept, calls = trained(1.0)
    assert calls == []  # initialization has asked for them
    computed, calls = trained(0.0)
    assert calls == [3] * 4
    text = "Mary Smith met Reuters in Paris"
    assert annotation(kept(text)) == annotation(computed(text))
    for name in ALL[1:]:
        weights = (nlp.get_pipe(name).model.to_bytes() for nlp in (kept, computed))
        assert len({*weights}) == 1


def test_a_trainable_bilm_has_no_cache(make_nlp, monkeypatch):
    nlp = make_nlp("elmo", "elmo_ner", trainable=True)
    assert nlp.get_pipe("elmo")._cache is None


def test_new_weights_empty_the_cache(make_nlp, make_bilm, tmp_path):
    nlp = make_nlp("elmo")
    elmo = nlp.get_pipe("elmo")
    doc = nlp.make_doc("Mary left")
    before = elmo.predict([doc])[0]
    make_bilm(seed=5).to_disk(tmp_path / "other")
    config = {
        "model": {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(tmp_path / "other")}
    }
    other = Language()
    other.add_pipe("elmo", config=config)
    other.initialize(lambda: [Example(other.make_doc("a"), other.make_doc("a"))])
    elmo.from_bytes(other.get_pipe("elmo").to_bytes())
    assert np.abs(elmo.predict([doc])[0] - before).max() > 1e-3


def test_the_size_is_said_before_training(make_nlp, caplog):
    with caplog.at_level("INFO", logger="spacy"):
        make_nlp("elmo", training_cache=0.5)
    assert "Layers of 16 training tokens take 0.00 GB, of 0.50 GB" in caplog.text
