"""All label sequences of a batch of documents, laid out to be walked step by step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Errors
from .emissions import check_emissions


@dataclass(frozen=True)
class Lattice:
    """Scores of every label at every token, and of every transition.

    Tokens stand in columns: the first tokens of all documents, longest document first, then
    the second tokens of those that have one, and so on. Each time step is then one block
    without padding, and a batch costs memory for the tokens it has, not for its longest
    document. All sums run over the first axis, label by label, so a document's results are the
    same bits in any batch.

    scores: (n_labels, n_tokens) float64.
    transitions: (n_labels, n_labels) float64, [from, to]; start, end: (n_labels,) float64.
    rows: (n_tokens,) int64, the token (counted document after document) of each column.
    columns: (n_tokens,) int64, the column of each token.
    docs: documents that have tokens, longest first, int64; last: column of their last token.
    first: columns of first tokens; steps: columns (of tokens t - 1, of tokens t) for t = 1, ...
    n_docs: documents in all, those without tokens included.
    """

    scores: NDArray[np.float64]
    transitions: NDArray[np.float64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    docs: NDArray[np.int64]
    last: NDArray[np.int64]
    first: slice
    steps: list[tuple[slice, slice]]
    n_docs: int

    @classmethod
    def of(
        cls,
        emissions: ArrayLike,
        lengths: ArrayLike,
        transitions: ArrayLike,
        start: ArrayLike,
        end: ArrayLike | None = None,
    ) -> "Lattice":
        """emissions: (n_tokens, n_labels), document after document; lengths: (n_docs,) int.

        transitions: (n_labels, n_labels), [from, to]; start, end: (n_labels,), no end means
        zeros. Everywhere -inf forbids. Raises ValueError for other shapes, NaN or +inf.
        """
        scores = check_emissions(emissions, lengths)
        n_labels = scores.shape[1]
        sizes = np.asarray(lengths, dtype=np.int64)
        position = np.arange(len(scores)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        docs = np.argsort(-sizes, kind="stable")
        rank = np.empty_like(docs)
        rank[docs] = np.arange(len(docs))
        rows = np.lexsort((np.repeat(rank, sizes), position))
        columns = np.empty_like(rows)
        columns[rows] = np.arange(len(rows))
        docs = docs[sizes[docs] > 0]
        active = np.bincount(position)  # documents that have a token t
        bounds = np.concatenate([[0], np.cumsum(active)]).tolist()
        steps = [
            (slice(bounds[t - 1], bounds[t - 1] + n), slice(bounds[t], bounds[t + 1]))
            for t, n in enumerate(active.tolist())
            if t
        ]
        return cls(
            scores=np.ascontiguousarray(scores[rows].T),
            transitions=_parameter("transitions", transitions, (n_labels, n_labels)),
            start=_parameter("start", start, (n_labels,)),
            end=_parameter("end", np.zeros(n_labels) if end is None else end, (n_labels,)),
            rows=rows,
            columns=columns,
            docs=docs,
            last=columns[np.cumsum(sizes)[docs] - 1],
            first=slice(0, len(docs)),
            steps=steps,
            n_docs=len(sizes),
        )

    def per_doc(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_docs,) in the caller's order, from values in the order of `docs`; 0 where a
        document has no tokens."""
        result = np.zeros(self.n_docs)
        result[self.docs] = values
        return result


def check_possible(scores: NDArray[np.float64], message: str) -> None:
    """Raise ValueError(message) for the first document whose score is -inf: no sequence of
    labels is possible there. scores: (n_docs,); message: with a place for {doc}."""
    impossible = np.flatnonzero(scores == -np.inf)
    if len(impossible):
        raise ValueError(message.format(doc=impossible[0]))


def _parameter(name: str, value: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    scores = np.asarray(value, dtype=np.float64)
    problem = None
    if scores.shape != shape:
        problem = "does not fit the emissions"
    elif (np.isnan(scores) | (scores == np.inf)).any():
        problem = "holds NaN or +inf"
    if problem:
        raise ValueError(
            Errors.EL157.format(name=name, shape=scores.shape, problem=problem, expected=shape)
        )
    return np.ascontiguousarray(scores)
