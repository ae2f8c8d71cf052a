import numpy as np
import pytest
from hypothesis import given, settings

from spacy_elmo_ner.decoding import BIOTransitions, FullTransitions, LabelScheme, viterbi
from tests.decoding.brute_force import Model, all_sequences, models


@settings(deadline=None, max_examples=50)
@given(models())
def test_the_path_is_the_best_of_all_sequences(model):
    ids, scores = viterbi(model.emissions, model.lengths, model.transitions)
    paths = np.split(ids, np.cumsum(model.lengths)[:-1])
    for doc, path, score in zip(model.docs, paths, scores, strict=True):
        every = all_sequences(doc, model)
        np.testing.assert_allclose(score, every.scores.max(), rtol=1e-12, atol=1e-12)
        own = every.scores[(every.ids == path).all(axis=1)]
        np.testing.assert_allclose(own, [score], rtol=1e-12, atol=1e-12)


def test_the_only_best_sequence_is_found():
    scheme = LabelScheme(["geo", "per"])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        doc = rng.normal(size=(4, 5)).astype(np.float32)
        between, start, end = rng.normal(size=(5, 5)), np.zeros(5), rng.normal(size=5)
        transitions = scheme.constrain(FullTransitions(between, start, end))
        ids, _ = viterbi(doc, [4], transitions)
        every = all_sequences(doc, Model(scheme, [doc], transitions))
        assert ids.tolist() == every.ids[every.scores.argmax()].tolist()


def test_ties_go_to_the_lowest_label_from_the_last_token_back():
    for nothing in (FullTransitions.zeros(3), BIOTransitions.zeros(1)):
        assert viterbi(np.zeros((4, 3)), [4], nothing)[0].tolist() == [0, 0, 0, 0]
    # (0, 1) and (1, 0) are equally good: the last label decides.
    transitions = FullTransitions([[-1, 0], [0, -1]], [0, 0])
    assert viterbi(np.zeros((2, 2)), [2], transitions)[0].tolist() == [1, 0]


def test_documents_without_tokens_score_zero():
    transitions = FullTransitions(np.zeros((2, 2)), [0, 3], [5, 0])
    ids, scores = viterbi(np.zeros((1, 2)), [0, 1, 0], transitions)
    assert ids.tolist() == [0]
    assert scores.tolist() == [0, 5, 0]
    ids, scores = viterbi(np.zeros((0, 2)), [], FullTransitions.zeros(2))
    assert ids.shape == scores.shape == (0,)


def test_a_document_without_possible_sequence_is_named():
    emissions = np.zeros((3, 2))
    emissions[1] = -np.inf
    with pytest.raises(ValueError, match=r"EL158.*Document 2 "):
        viterbi(emissions, [1, 0, 2], FullTransitions.zeros(2))
