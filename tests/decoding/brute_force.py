"""The laws' other side: every sequence of labels, written out and scored one by one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from spacy_elmo_ner.decoding import BIOTransitions, FullTransitions, LabelScheme, Transitions


class Model(NamedTuple):
    """One small batch and the parameters of a CRF, constrained to valid BIO or not."""

    scheme: LabelScheme
    docs: list[NDArray[np.float32]]
    transitions: Transitions

    @property
    def lengths(self) -> list[int]:
        return [len(doc) for doc in self.docs]

    @property
    def emissions(self) -> NDArray[np.float32]:
        return np.concatenate(self.docs)


TYPES = ["geo", "per"]
PARTS = ["outside", "leave", "enter", "inside", "start", "end"]


def random_parts(n_types: int, draw: Callable[[tuple[int, ...]], NDArray]) -> BIOTransitions:
    """Structured transitions, each part as drawn for its shape."""
    zeros = BIOTransitions.zeros(n_types)
    return BIOTransitions(**{name: draw(getattr(zeros, name).shape) for name in PARTS})


def floats(shape: tuple[int, ...], highest: float) -> st.SearchStrategy[NDArray[np.float32]]:
    return hnp.arrays(np.float32, shape, elements=st.floats(-highest, highest, width=32))


def spelled_out(transitions: Transitions) -> FullTransitions:
    """The same transitions with a score for each pair of labels, from their definition."""
    if isinstance(transitions, FullTransitions):
        return transitions
    assert isinstance(transitions, BIOTransitions)
    n = transitions.n_labels
    between, start = np.full((n, n), -np.inf), np.full(n, -np.inf)
    begins = range(1, n, 2)
    between[0, 0], start[0] = transitions.outside[0], transitions.start[0]
    for which, begin in enumerate(begins):
        between[0, begin] = transitions.outside[1 + which]
        start[begin] = transitions.start[1 + which]
        for before in (begin, begin + 1):
            between[before, 0] = transitions.leave[before - 1, 0]
            between[before, begin + 1] = transitions.inside[before - 1]
            for other, other_begin in enumerate(begins):
                score = transitions.leave[before - 1, 1] + transitions.enter[other]
                between[before, other_begin] = score
    return FullTransitions(between, start, transitions.end)


def read(scheme: LabelScheme, ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """The spans (start, end, type) of one document's label ids."""
    spans = scheme.read_spans(ids, [len(ids)])
    types = [scheme.entity_types[i] for i in spans.types]
    return list(zip(spans.starts.tolist(), spans.ends.tolist(), types, strict=True))


KINDS = ["full", "constrained", "structured"]


@st.composite
def transitions(draw: st.DrawFn, n_types: int, kind: str) -> Transitions:
    """Learned transitions of this kind; one in five structured parts is forbidden."""
    n = 1 + 2 * n_types
    if kind != "structured":
        full = FullTransitions(*(draw(floats(shape, 5)) for shape in [(n, n), (n,), (n,)]))
        return full if kind == "full" else LabelScheme(TYPES[:n_types]).constrain(full)
    learned = random_parts(n_types, lambda shape: draw(floats(shape, 5)))
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 9)))
        for name in ("leave", "enter", "inside"):
            scores = getattr(learned, name)
            forbidden = np.where(rng.random(scores.shape) < 0.2, -np.inf, scores)
            learned = replace(learned, **{name: forbidden})
    return learned


@st.composite
def models(
    draw: st.DrawFn, highest: float = 20.0, max_tokens: int = 4, kinds: list[str] = KINDS
) -> Model:
    """1 to 3 documents of 0 to max_tokens tokens, 1, 3 or 5 labels, transitions of each kind."""
    scheme = LabelScheme(TYPES[: draw(st.integers(0, 2))])
    n = scheme.n_labels
    lengths = draw(st.lists(st.integers(0, max_tokens), min_size=1, max_size=3))
    docs = [draw(floats((length, n), highest)) for length in lengths]
    learned = draw(transitions(len(scheme.entity_types), draw(st.sampled_from(kinds))))
    return Model(scheme, docs, learned)


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
    full = spelled_out(model.transitions)
    scores = doc.astype(np.float64)[np.arange(n_tokens), ids].sum(axis=1)
    if n_tokens:
        scores = scores + full.start[ids[:, 0]] + full.end[ids[:, -1]]
    for t in range(1, n_tokens):
        scores = scores + full.between[ids[:, t - 1], ids[:, t]]
    return Sequences(ids, scores)
