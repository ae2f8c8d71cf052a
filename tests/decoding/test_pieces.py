import numpy as np
import pytest

from spacy_elmo_ner.decoding import FullTransitions, marginals, viterbi
from spacy_elmo_ner.decoding.pieces import run_pieces


@pytest.mark.parametrize("n_rounds", [1, 2, 6])
def test_pieces_run_again_until_what_they_begin_with_is_what_was_handed_on(n_rounds):
    # Six pieces in a row; what each hands on is forgotten after n_rounds - 1 of them.
    tokens, runs = np.zeros(6, dtype=int), []

    def run(pieces, begins):
        runs.append(pieces.tolist())
        tokens[pieces] = begins

    def hand_on(pieces):
        return np.minimum(tokens[pieces] + 1, n_rounds - 1)

    run_pieces(np.arange(-1, 5), np.zeros(6, dtype=int), run, hand_on)
    assert tokens.tolist() == np.minimum(np.arange(6), n_rounds - 1).tolist()
    assert runs == [list(range(k, 6)) for k in range(n_rounds)]


def test_pieces_that_follow_none_run_once():
    runs = []
    alone = np.asarray([-1, -1])
    run_pieces(alone, np.zeros((3, 2)), lambda *args: runs.append(args), lambda pieces: 1 / 0)
    assert len(runs) == 1


def test_where_nothing_is_ever_forgotten_a_long_document_is_still_right(monkeypatch):
    # Labels that never change: only all scores together say which, and each piece waits for the
    # one before.
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, size=(1000, 5)).astype(np.float32)
    never = np.where(np.eye(5, dtype=bool), 0.0, -np.inf)
    sums = scores.sum(axis=0, dtype=np.float64)
    for piece in (7, 256):
        monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", piece)
        transitions = FullTransitions(never, np.zeros(5))
        ids, best = viterbi(scores, [1000], transitions)
        assert set(ids.tolist()) == {sums.argmax()}
        np.testing.assert_allclose(best, [sums.max()])
        found = marginals(scores, [1000], transitions).of_labels()
        expected = np.exp(sums - np.logaddexp.reduce(sums))
        np.testing.assert_allclose(found, np.tile(expected, (1000, 1)), atol=1e-9)


def test_sums_that_overflow_do_not_run_for_ever():
    with np.errstate(all="ignore"):
        viterbi(np.full((600, 3), 1e306), [600], FullTransitions.zeros(3))
