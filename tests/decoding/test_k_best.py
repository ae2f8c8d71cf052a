import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import (
    Decoder,
    FullTransitions,
    LabelScheme,
    best_readings,
    k_best,
    viterbi,
)
from tests.decoding.brute_force import all_sequences, models, random_parts
from tests.decoding.test_entities import READERS, SCHEME, decoder_for, spans_of

pytestmark = pytest.mark.filterwarnings("error")


@settings(deadline=None, max_examples=50)
@given(models(), st.integers(1, 7))
def test_the_n_best_are_the_first_n_of_all_sequences(model, n):
    ids, scores = k_best(n, model.emissions, model.lengths, model.transitions)
    assert ids.shape == (n, len(model.emissions)) and scores.shape == (n, len(model.docs))
    parts = np.split(ids, np.cumsum(model.lengths)[:-1], axis=1)
    for doc, part, found in zip(model.docs, parts, scores.T, strict=True):
        every = all_sequences(doc, model)
        expected = np.sort(every.scores)[::-1][:n]
        np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-9, atol=1e-9)
        assert (found[len(expected) :] == -np.inf).all()
        possible = [tuple(one) for one, s in zip(part, found, strict=True) if s > -np.inf]
        assert len(set(possible)) == len(possible)
        score_of = dict(zip(map(tuple, every.ids.tolist()), every.scores, strict=True))
        for one, score in zip(possible, found, strict=False):
            np.testing.assert_allclose(score, score_of[one], rtol=1e-9, atol=1e-9)


def test_the_first_of_them_is_the_viterbi_path_even_among_equals():
    rng = np.random.default_rng(0)
    emissions = rng.integers(0, 2, size=(60, 5)).astype(float)
    full = FullTransitions(rng.integers(0, 2, size=(5, 5)), np.zeros(5))
    structured = random_parts(2, lambda shape: rng.integers(0, 2, size=shape))
    for transitions in (SCHEME.constrain(full), structured):
        best, best_scores = viterbi(emissions, [20, 0, 40], transitions)
        ids, scores = k_best(4, emissions, [20, 0, 40], transitions)
        assert ids[0].tolist() == best.tolist() and scores[0].tolist() == best_scores.tolist()


@pytest.mark.parametrize("reader", READERS)
def test_readings_are_distinct_valid_and_add_up_to_one(reader):
    docs = [np.random.default_rng(i).normal(size=(n, 5)) for i, n in enumerate([3, 0, 2])]
    decoder = decoder_for(reader, temperature=1.3)
    for readings in best_readings(docs, decoder, 200):
        probabilities = [one.probability for one in readings]
        assert probabilities == sorted(probabilities, reverse=True)
        np.testing.assert_allclose(sum(probabilities), 1.0, atol=1e-9)
        spelled = {tuple(spans_of(one.entities)) for one in readings}
        assert len(spelled) == len(readings) > 0
        # A span's probability is that of the readings it is part of.
        for span in {one for reading in readings for one in reading.entities}:
            share = sum(r.probability for r in readings if span in r.entities)
            np.testing.assert_allclose(span.probability, share, atol=1e-9)


def test_skipped_and_blocked_tokens_hold_in_every_reading():
    docs = [np.random.default_rng(0).normal(size=(6, 5))]
    blocked, skipped = [[False] * 5 + [True]], [[True, False, True, False, False, False]]
    [readings] = best_readings(docs, Decoder(SCHEME), 30, blocked=blocked, skipped=skipped)
    assert len(readings) == 30
    for one in (span for reading in readings for span in reading.entities):
        assert one.end <= 5 and one.start not in (0, 2) and one.end - 1 not in (0, 2)


def test_fewer_than_one_cannot_be_asked_for():
    with pytest.raises(ValueError, match=r"EL167. 0 best"):
        k_best(0, np.zeros((1, 3)), [1], LabelScheme(["geo"]).constrain())


def test_a_document_without_possible_sequence_is_named():
    with pytest.raises(ValueError, match=r"EL158.*Document 0 "):
        k_best(2, [[-np.inf, -np.inf]], [1], FullTransitions.zeros(2))
