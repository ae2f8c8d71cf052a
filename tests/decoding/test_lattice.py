from dataclasses import replace

import numpy as np
import pytest

from spacy_elmo_ner.decoding import BIOTransitions, FullTransitions, viterbi
from spacy_elmo_ner.decoding.lattice import Lattice
from tests.decoding.brute_force import random_parts


def test_tokens_stand_step_by_step_longest_document_first(monkeypatch):
    monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", 256)
    lattice = Lattice.of(np.arange(6.0)[:, None], [1, 3, 0, 2], FullTransitions.zeros(1))
    assert lattice.docs.tolist() == [0, 1, 3]
    assert lattice.scores.tolist() == [[1, 4, 0, 2, 5, 3]]
    assert lattice.rows[lattice.columns].tolist() == list(range(6))
    assert lattice.first.tolist() == [2, 0, 1] and lattice.last.tolist() == [2, 5, 4]
    assert lattice.steps() == [(slice(0, 2), slice(3, 5)), (slice(3, 4), slice(5, 6))]
    assert lattice.doc_of_columns.tolist() == [1, 3, 0, 1, 3, 1]
    assert lattice.per_doc(np.asarray([10.0, 30.0, 0.5])).tolist() == [10, 30, 0, 0.5]


def test_long_documents_stand_in_pieces(monkeypatch):
    monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", 2)
    transitions = FullTransitions([[0]], [3], [4])
    lattice = Lattice.of(np.arange(8.0)[:, None], [1, 5, 0, 2], transitions)
    # Pieces, longest first: tokens 1-2, 3-4, 6-7, 0, 5.
    assert lattice.scores.tolist() == [[1, 3, 6, 0, 5, 2, 4, 7]]
    assert lattice.lengths.tolist() == [2, 2, 2, 1, 1]
    assert [chain.tolist() for chain in lattice.chains] == [[0, 1, 4]]
    assert lattice.before.tolist() == [-1, 0, -1, -1, 1]
    assert lattice.after.tolist() == [1, 4, -1, -1, -1]
    assert lattice.begins.tolist() == [[3, 0, 3, 3, 0]]
    assert lattice.pieces.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert lattice.piece_ends.tolist() == [5, 6, 7, 3, 4]
    assert lattice.ends.tolist() == [[0, 0, 4, 4, 4]]
    assert [columns.tolist() for columns in lattice.pairs] == [[0, 5, 1, 6, 2], [5, 1, 6, 4, 7]]
    assert lattice.doc_of_columns.tolist() == [1, 1, 3, 0, 1, 1, 1, 3]
    some = lattice.steps(np.asarray([1, 2, 4]))
    assert [(a.tolist(), b.tolist()) for a, b in some] == [([1, 2], [6, 7])]
    whole = Lattice.of(np.arange(8.0)[:, None], [1, 5, 0, 2], transitions, in_pieces=False)
    assert whole.lengths.tolist() == [5, 2, 1] and not whole.chains


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("between", np.zeros((2, 3))),
        ("between", np.full((2, 2), np.nan)),
        ("start", np.full(2, np.inf)),
        ("end", np.zeros((2, 1))),
    ],
)
def test_scores_that_do_not_fit_are_named(name, value):
    scores = {"between": np.zeros((2, 2)), "start": np.zeros(2), "end": np.zeros(2)}
    with pytest.raises(ValueError, match=f"EL157. {name} "):
        FullTransitions(**{**scores, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outside", np.zeros(2)),
        ("leave", np.zeros(4)),
        ("inside", np.full(4, np.nan)),
        ("start", np.zeros(5)),
        ("end", np.full(5, np.inf)),
    ],
)
def test_parts_that_do_not_fit_are_named(name, value):
    scores = random_parts(2, np.zeros)
    with pytest.raises(ValueError, match=f"EL157. {name} "):
        replace(scores, **{name: value})


@pytest.mark.parametrize("transitions", [FullTransitions.zeros(5), BIOTransitions.zeros(2)])
def test_transitions_of_other_labels_than_the_emissions_are_refused(transitions):
    with pytest.raises(ValueError, match=r"EL154.*\(1, 3\).*\(n_tokens, 5\)"):
        viterbi(np.zeros((1, 3)), [1], transitions)
