import numpy as np
import pytest

from spacy_elmo_ner.decoding import viterbi
from spacy_elmo_ner.decoding.lattice import Lattice


def test_tokens_stand_step_by_step_longest_document_first():
    lattice = Lattice.of(np.arange(6.0)[:, None], [1, 3, 0, 2], [[0]], [0])
    assert lattice.docs.tolist() == [1, 3, 0]
    assert lattice.scores.tolist() == [[1, 4, 0, 2, 5, 3]]
    assert lattice.rows[lattice.columns].tolist() == list(range(6))
    assert lattice.last.tolist() == [5, 4, 2]
    assert lattice.steps == [(slice(0, 2), slice(3, 5)), (slice(3, 4), slice(5, 6))]
    assert lattice.per_doc(np.asarray([10.0, 30.0, 0.5])).tolist() == [0.5, 10, 0, 30]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transitions", np.zeros((2, 3))),
        ("transitions", np.full((2, 2), np.nan)),
        ("start", np.zeros(3)),
        ("start", np.full(2, np.inf)),
        ("end", np.zeros((2, 1))),
    ],
)
def test_parameters_that_do_not_fit_are_named(name, value):
    parameters = {"transitions": np.zeros((2, 2)), "start": np.zeros(2), "end": np.zeros(2)}
    with pytest.raises(ValueError, match=f"EL157. {name} "):
        viterbi(np.zeros((1, 2)), [1], **{**parameters, name: value})
