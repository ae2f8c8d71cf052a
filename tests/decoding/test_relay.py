import numpy as np
import pytest

from spacy_elmo_ner.decoding import LabelScheme, marginals, viterbi
from spacy_elmo_ner.decoding.relay import relay


@pytest.mark.parametrize("n_rounds", [1, 2, 6])
def test_pieces_run_again_until_what_they_begin_with_is_what_was_handed_on(n_rounds):
    # Six pieces in a row; what each hands on is forgotten after n_rounds - 1 of them.
    tokens, runs = np.zeros(6, dtype=int), []

    def run(pieces, begins):
        runs.append(pieces.tolist())
        tokens[pieces] = begins

    def hand_on(pieces):
        return np.minimum(tokens[pieces] + 1, n_rounds - 1)

    relay(np.arange(-1, 5), np.zeros(6, dtype=int), run, hand_on)
    assert tokens.tolist() == np.minimum(np.arange(6), n_rounds - 1).tolist()
    assert runs == [list(range(k, 6)) for k in range(n_rounds)]


def test_pieces_that_follow_none_run_once():
    runs = []
    alone = np.asarray([-1, -1])
    relay(alone, np.zeros((3, 2)), lambda *args: runs.append(args), lambda pieces: 1 / 0)
    assert len(runs) == 1


def test_where_nothing_is_ever_forgotten_a_long_document_is_still_right():
    # One entity from the first token to the last: each piece waits for the one before.
    scores = np.zeros((1000, 3))
    scores[0, 1] = 4.0
    scores[:, 0] = -1e4
    scores[:, 2] = 1e3
    scheme = LabelScheme(["geo"])
    ids, _ = viterbi(scores, [1000], *scheme.constrain())
    assert ids.tolist() == [1, *[2] * 999]
    found = marginals(scores, [1000], *scheme.constrain()).of_labels()
    np.testing.assert_allclose(found[1:, 2], 1.0)
