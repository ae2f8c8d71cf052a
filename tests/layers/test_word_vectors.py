import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_elmo_ner.layers.word_vectors import build_word_vectors_v1
from spacy_elmo_ner.vectors.shared import packaged_sha256, shared_table
from spacy_elmo_ner.vectors.table import TABLE_FILE, VectorTable


@pytest.fixture
def docs() -> list[Doc]:
    vocab = spacy.blank("en").vocab
    texts = ["The cat sat in Paris", "", "Xyzzyqq", "PARIS paris case root 's"]
    return [Doc(vocab, words=text.split()) for text in texts]


def vocab_with_vectors() -> spacy.vocab.Vocab:
    vocab = spacy.blank("en").vocab
    for i, word in enumerate(("the", "cat", "Paris")):
        vocab.set_vector(word, np.full(3, i + 1, dtype="f"))
    return vocab


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_word_has_its_vector_in_any_case(docs):
    found = build_word_vectors_v1().predict(docs)
    assert [one.shape for one in found] == [(5, 50), (0, 50), (1, 50), (5, 50)]
    assert all(one.dtype == np.float32 for one in found)
    paris = found[0][4]
    assert_same(found[3][:2], [paris, paris])
    # Names of spaCy's own symbols have other ids than the hash of the word.
    assert found[3].any(axis=1).all()
    assert not found[2].any()


def test_near_words_have_near_vectors():
    vocab = spacy.blank("en").vocab
    paris, rome, cheese = build_word_vectors_v1().predict(
        [Doc(vocab, words=["Paris", "Rome", "cheese"])]
    )[0]
    assert cosine(paris, rome) > 0.6 > 0.4 > cosine(paris, cheese)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_doc_has_the_same_vectors_in_any_batch(docs):
    model = build_word_vectors_v1()
    together = model.predict(docs)
    assert_same([model.predict([doc])[0] for doc in docs], together)
    assert model.predict([]) == []


def test_it_learns_nothing_and_gives_no_gradient(docs):
    model = build_word_vectors_v1()
    model.initialize(X=docs)
    before, backprop = model.begin_update(docs)
    assert backprop([one + 1 for one in before]) == []
    model.finish_update(Adam(0.1))
    assert_same(model.predict(docs), before)


def test_copies_share_the_table(docs):
    model = build_word_vectors_v1()
    expected, table = model.predict(docs), model.shims[0].table
    for other in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.shims[0].table is table
        assert_same(other.predict(docs), expected)


def test_a_packaged_table_is_saved_as_name_and_sha256(docs):
    model = build_word_vectors_v1()
    model.initialize(X=docs)
    data = model.to_bytes()
    assert len(data) < 1000 and packaged_sha256("glove-en").encode() in data
    loaded = build_word_vectors_v1().from_bytes(data)
    assert loaded.shims[0].table is model.shims[0].table


def test_a_packaged_table_is_saved_whole_where_asked(docs):
    model = build_word_vectors_v1(include_vectors=True)
    data = model.to_bytes()
    assert len(data) > 6_000_000
    assert_same(build_word_vectors_v1().from_bytes(data).predict(docs), model.predict(docs))


def test_another_table_than_it_was_trained_with_is_refused(docs, monkeypatch):
    data = build_word_vectors_v1().to_bytes()
    place = "spacy_elmo_ner.layers.word_vectors.packaged_sha256"
    monkeypatch.setattr(place, lambda name: "0" * 64)
    wanted = packaged_sha256("glove-en")
    with pytest.raises(ValueError, match=rf"EL116.*glove-en.*{wanted}.*{'0' * 64}"):
        build_word_vectors_v1().from_bytes(data)


def test_a_folders_table_is_saved_with_the_pipeline_even_before_first_use(docs, tmp_path):
    smaller = shared_table("glove-en")
    smaller = VectorTable(smaller.keys[:1000], None, type(smaller.values)(
        smaller.values.codes[:1000], smaller.values.codebook))  # fmt: skip
    (tmp_path / TABLE_FILE).write_bytes(smaller.to_bytes())
    model = build_word_vectors_v1(str(tmp_path))
    assert model.get_dim("nO") == 50
    data = model.to_bytes()
    expected = model.predict(docs)
    (tmp_path / TABLE_FILE).unlink()
    assert_same(build_word_vectors_v1(str(tmp_path)).from_bytes(data).predict(docs), expected)


def test_a_missing_table_fails_at_initialization(tmp_path, docs):
    model = build_word_vectors_v1(str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="EL051"):
        model.initialize(X=docs)


def test_vectors_of_the_vocab_are_read_as_written_then_in_lower_case():
    vocab = vocab_with_vectors()
    docs = [Doc(vocab, words=["The", "cat", "dog", "Paris", "PARIS"]), Doc(vocab, words=[])]
    model = build_word_vectors_v1(None)
    model.initialize(X=docs)
    assert model.get_dim("nO") == 3
    found = model.predict(docs)
    assert found[0][:, 0].tolist() == [1, 2, 0, 3, 0] and found[1].shape == (0, 3)
    again = build_word_vectors_v1(None).from_bytes(model.to_bytes())
    assert_same(again.predict(docs), found)


def test_floret_vectors_of_the_vocab_know_every_word():
    data = np.random.default_rng(0).normal(size=(50, 4)).astype("f")
    vocab = spacy.blank("en").vocab
    vocab.vectors = spacy.vectors.Vectors(
        strings=vocab.strings, data=data, mode="floret", minn=2, maxn=3
    )
    doc = Doc(vocab, words=["never", "seen"])
    model = build_word_vectors_v1(None)
    model.initialize(X=[doc])
    (found,) = model.predict([doc])
    np.testing.assert_allclose(found, [token.vector for token in doc], atol=1e-6)


def test_a_vocab_without_vectors_says_so(docs):
    with pytest.raises(ValueError, match="EL117"):
        build_word_vectors_v1(None).initialize(X=docs)


def test_a_vocab_with_other_vectors_is_refused(docs):
    model = build_word_vectors_v1(None)
    model.initialize(X=[Doc(vocab_with_vectors(), words=["cat"])])
    with pytest.raises(ValueError, match=r"EL118.*width 3.*width 0"):
        model.predict(docs)


def test_threads_get_the_vectors_of_one_thread(docs):
    vocab = docs[0].vocab
    words = [f"{word}{i % 7 or ''}" for i, word in enumerate(["cat", "Rome", "the", "x"] * 60)]
    batches = [[Doc(vocab, words=words[i:])] for i in range(200)]
    expected = [build_word_vectors_v1().predict(batch)[0] for batch in batches]
    model = build_word_vectors_v1()  # read by whichever thread is first
    with ThreadPoolExecutor(8) as pool:
        assert_same([one[0] for one in pool.map(model.predict, batches)], expected)


CHILD = """
import pickle, sys, numpy as np, spacy
from spacy.tokens import Doc
model = pickle.loads(sys.stdin.buffer.read())
(found,) = model.predict([Doc(spacy.blank("en").vocab, words=["The", "cat", "Xyzzyqq"])])
print(found.tobytes().hex())
"""


def test_another_process_has_the_same_vectors(docs):
    model = build_word_vectors_v1()
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=pickle.dumps(model), capture_output=True, check=True
    )
    expected = model.predict([Doc(docs[0].vocab, words=["The", "cat", "Xyzzyqq"])])[0]
    assert done.stdout.decode().strip() == expected.tobytes().hex()
