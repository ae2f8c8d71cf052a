"""The laws' other side: every sequence of labels, written out and scored one by one."""

from itertools import product
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from spacy_elmo_ner.decoding import LabelScheme


class Model(NamedTuple):
    """One small batch and the parameters of a CRF, constrained to valid BIO or not."""

    scheme: LabelScheme
    docs: list[NDArray[np.float32]]
    transitions: NDArray[np.float64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def lengths(self) -> list[int]:
        return [len(doc) for doc in self.docs]

    @property
    def emissions(self) -> NDArray[np.float32]:
        return np.concatenate(self.docs)

    @property
    def parameters(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        return self.transitions, self.start, self.end


def floats(shape: tuple[int, ...], highest: float) -> st.SearchStrategy[NDArray[np.float32]]:
    return hnp.arrays(np.float32, shape, elements=st.floats(-highest, highest, width=32))


@st.composite
def models(draw: st.DrawFn, highest: float = 20.0, max_tokens: int = 4) -> Model:
    """1 to 3 documents of 0 to max_tokens tokens, 1, 3 or 5 labels, half of them constrained."""
    scheme = LabelScheme(["geo", "per"][: draw(st.integers(0, 2))])
    n = scheme.n_labels
    lengths = draw(st.lists(st.integers(0, max_tokens), min_size=1, max_size=3))
    docs = [draw(floats((length, n), highest)) for length in lengths]
    transitions, start = draw(floats((n, n), 5)), draw(floats((n,), 5))
    if draw(st.booleans()):
        transitions, start = scheme.constrain(transitions, start)
    return Model(scheme, docs, transitions, start, draw(floats((n,), 5)))


class Sequences(NamedTuple):
    """Every sequence of labels of one document: ids (n_sequences, n_tokens), scores."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def log_partition(self) -> float:
        return float(np.logaddexp.reduce(self.scores))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        return np.exp(self.scores - self.log_partition)


def all_sequences(doc: NDArray[np.float32], model: Model) -> Sequences:
    n_tokens, n_labels = doc.shape
    ids = np.asarray(list(product(range(n_labels), repeat=n_tokens)), dtype=np.int64)
    scores = doc.astype(np.float64)[np.arange(n_tokens), ids].sum(axis=1)
    if n_tokens:
        scores = scores + model.start[ids[:, 0]] + model.end[ids[:, -1]]
    for t in range(1, n_tokens):
        scores = scores + model.transitions[ids[:, t - 1], ids[:, t]]
    return Sequences(ids, scores)
