"""One pipeline and one biLM in many threads give what one thread gives, during and after."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from torch.utils._python_dispatch import TorchDispatchMode

from spacy_elmo_ner.elmo import BiLM, kernels, lstm_compiled
from spacy_elmo_ner.elmo.caches import Derived, WordCache
from spacy_elmo_ner.elmo.locks import Lock
from spacy_elmo_ner.elmo.shared import shared_bilm
from spacy_elmo_ner.layers.bilm_layer import bilm_shim
from spacy_elmo_ner.pipeline.layers_cache import LayersCache
from tests.pipeline.conftest import annotation, make_nlp  # noqa: F401

N_THREADS = 8


@pytest.fixture(autouse=True)
def _frequent_switches() -> Iterator[None]:
    """Switch threads a hundred times as often, so that a race shows in a short test."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    """What work(0), work(1), ... return, all begun at the same moment."""
    barrier = threading.Barrier(N_THREADS)

    def begin(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(begin, range(N_THREADS)))


def _sentences(seed: int, n: int = 60) -> list[list[str]]:
    """Sentences of words that are partly the same in all threads and partly new in each."""
    rng = np.random.default_rng(seed)
    words = [f"common{i}" for i in range(50)] + [f"rare{seed}x{i}" for i in range(100)]
    return [[str(w) for w in rng.choice(words, size=rng.integers(1, 9))] for _ in range(n)]


@pytest.mark.parametrize("initial_state", ["zeros", "warm"])
def test_embed(make_bilm: Any, initial_state: Any) -> None:
    bilm, alone = make_bilm(), make_bilm()
    inputs = [_sentences(seed) for seed in range(N_THREADS)]
    expected = [alone.embed(texts, initial_state=initial_state) for texts in inputs]

    def work(i: int) -> Any:
        return [bilm.embed([text], initial_state=initial_state)[0] for text in inputs[i]]

    after = [bilm.embed(texts, initial_state=initial_state) for texts in inputs]
    for found in (in_threads(work), after):
        for texts, wanted in zip(found, expected, strict=True):
            for one, other in zip(texts, wanted, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_full_word_cache() -> None:
    cache = WordCache(2, longest=9, capacity=20)

    def spell_out(words: Any) -> torch.Tensor:
        return torch.tensor([[float(word), -float(word)] for word in words])

    def work(i: int) -> list[str]:
        rng = np.random.default_rng(i)
        wrong = []
        for _ in range(500):
            words = [str(n) for n in rng.choice(60, size=5, replace=False)]
            found = cache.get(words, spell_out).tolist()
            wrong += [w for w, v in zip(words, found, strict=True) if v != [float(w), -float(w)]]
        return wrong

    assert in_threads(work) == [[]] * N_THREADS
    assert len(cache) <= 20


def test_what_is_derived_is_made_once_and_never_half() -> None:
    derived: Derived[list[int]] = Derived()
    parameters = [torch.zeros(1)]
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return list(range(1000))

    found = in_threads(lambda i: [derived.get(parameters, make) for _ in range(50)])
    assert len(made) == 1
    assert all(one is found[0][0] for values in found for one in values)


def test_weights_named_by_many_are_read_once(bilm_dir: Any) -> None:
    found = in_threads(lambda i: shared_bilm(str(bilm_dir)))
    assert len({id(bilm) for bilm in found}) == 1


def test_the_first_use_of_a_pipeline(make_nlp: Any) -> None:  # noqa: F811
    texts = ["Mary Smith met Reuters in Paris .", "President John left", "Nothing there ."]
    data = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=20)
    expected = [annotation(data(text)) for text in texts]
    for _ in range(3):
        nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=20)  # read anew
        bilm_shim(nlp.get_pipe("elmo").model)._model = None
        for found in in_threads(lambda i, nlp=nlp: [annotation(nlp(text)) for text in texts]):
            assert found == expected


@pytest.mark.parametrize("through_pipe", [False, True])
def test_a_pipeline(make_nlp: Any, through_pipe: bool) -> None:  # noqa: F811
    nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=20)
    alone = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=20)
    inputs = [[" ".join(words) for words in _sentences(seed, 12)] for seed in range(N_THREADS)]
    expected = [[annotation(alone(text)) for text in texts] for texts in inputs]

    def work(i: int) -> list[Any]:
        docs = nlp.pipe(inputs[i], batch_size=7) if through_pipe else map(nlp, inputs[i])
        return [annotation(doc) for doc in docs]

    assert in_threads(work) == expected
    assert [[annotation(nlp(text)) for text in texts] for texts in inputs] == expected
    assert len(nlp.get_pipe("elmo")._kept) == 0


def test_one_doc_read_by_all(make_nlp: Any) -> None:  # noqa: F811
    nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", listener=True)
    elmo = nlp.get_pipe("elmo")
    doc = nlp.make_doc("Mary left Paris")
    (expected,) = elmo.predict([doc])
    for found in in_threads(
        lambda i: [elmo.layers([doc, doc], elmo.listeners[i % 2]) for _ in range(100)]
    ):
        for pair in found:
            for one in pair:
                np.testing.assert_array_equal(one, expected)


def test_layers_of_words_changed_since_are_not_read(make_nlp: Any) -> None:  # noqa: F811
    nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", listener=True)
    elmo = nlp.get_pipe("elmo")
    doc = nlp.make_doc("New York fell then")
    elmo.set_annotations([doc], elmo.predict([doc]))
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[3], ["th", "en"], heads=[(doc[3], 1), doc[2]])
    words = [token.text for token in doc]
    assert words == ["New York", "fell", "th", "en"]  # as many as before
    fresh = Doc(nlp.vocab, words=words)
    (found,) = elmo.layers([doc], elmo.listeners[0])
    np.testing.assert_allclose(found, elmo.predict([fresh])[0], atol=1e-6)


def test_layers_kept_on_disk(make_nlp: Any) -> None:  # noqa: F811
    vocab = make_nlp("elmo").vocab
    docs = [Doc(vocab, words=[f"w{i}", f"v{i}"]) for i in range(200)]
    layers = [np.full((3, 2, 4), i, dtype="f") for i in range(200)]
    cache = LayersCache(3, 4, max_bytes=1_000_000)

    def work(i: int) -> int:
        wrong = 0
        for n in np.random.default_rng(i).permutation(200):
            cache.put([docs[n]], [layers[n]])
            found = cache.get(docs[n])
            wrong += found is None or not np.array_equal(found, layers[n])
        return wrong

    assert in_threads(work) == [0] * N_THREADS
    assert cache.n_bytes == sum(one.nbytes for one in layers)
    cache.close()
    assert cache.get(docs[0]) is None


PRODUCTS = ("mm", "addmm", "bmm", "matmul", "linear", "_linear_pointwise", "convolution")


class _Products(TorchDispatchMode):
    """Notes each matrix product, and each that is computed while this thread holds a lock."""

    def __init__(self, held: Callable[[], bool]) -> None:
        super().__init__()
        self.held = held
        self.n, self.n_held = 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._schema.name.partition("::")[2] in PRODUCTS:
            self.n += 1
            self.n_held += self.held()
        return func(*args, **(kwargs or {}))


@contextmanager
def _counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Whether any of our locks is held by this thread."""
    depth = 0
    enter, leave = Lock.__enter__, Lock.__exit__

    def counted_enter(self: Lock) -> None:
        nonlocal depth
        enter(self)
        depth += 1

    def counted_leave(self: Lock, *args: Any) -> None:
        nonlocal depth
        depth -= 1
        leave(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Lock, "__enter__", counted_enter)
        patch.setattr(Lock, "__exit__", counted_leave)
        yield lambda: depth > 0


@pytest.mark.parametrize("compiled", [False, True])
def test_no_lock_is_held_during_a_matrix_product(
    make_nlp: Any,  # noqa: F811
    tiny_bilm: BiLM,
    monkeypatch: pytest.MonkeyPatch,
    compiled: bool,
) -> None:
    if compiled and not kernels.available():
        pytest.skip("no compiled kernels here")
    monkeypatch.setattr(kernels, "enabled", compiled)
    nlp = make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=1)
    bilm_shim(nlp.get_pipe("elmo").model)._model = None
    n_kernels = 0
    with _counting(monkeypatch) as held, _Products(held) as products:
        run_kernel = kernels.call

        def noted(name: str, arguments: Any) -> int:
            nonlocal n_kernels
            n_kernels += name == "predict"
            products.n_held += name == "predict" and held()
            return run_kernel(name, arguments)

        monkeypatch.setattr(lstm_compiled, "call", noted)
        nlp("Mary Smith left Paris")
        tiny_bilm.embed([["a", "b"]], initial_state="warm")
        tiny_bilm.embed([["b", "c"]])
    assert products.n > (5 if compiled else 20)
    assert (n_kernels > 10) == compiled
    assert products.n_held == 0


def test_a_lock_held_at_a_fork_is_open_in_the_child() -> None:
    import os

    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    lock = Lock()
    with lock:
        child = os.fork()
        if not child:
            os._exit(3 if lock.locked() else 0)
        assert os.waitpid(child, 0)[1] == 0
    assert not lock.locked()
