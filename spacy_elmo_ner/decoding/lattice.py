"""Lay out all label sequences of a batch of documents to be walked step by step."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from . import walks
from .emissions import check_emissions
from .reductions import Floats, Ints
from .transitions import Columns, Transitions

# Long documents are walked in pieces of this many tokens, side by side (see pieces.py). Labels do
# not depend on those a few entities back, so what a piece hands on does not depend on its begin.
PIECE = 256


@dataclass(frozen=True)
class Lattice:
    """Holds scores of every label at every token, and of the transitions between them.

    Columns are tokens: the first tokens of all pieces of documents, longest piece first, then the
    second tokens of those that have one, and so on. Each time step is one block without padding,
    so memory grows with the number of tokens and not with the longest document. All sums run over
    the first axis in an order that does not depend on the number of columns, so a document's
    results are the same bits in any batch.

    scores: (n_labels, n_tokens) float64.
    rows: (n_tokens,) int64, the token of each column, counted document after document.
    columns: (n_tokens,) int64, the column of each token.
    docs: int64, the documents that have tokens; first, last: columns of their first and last
        tokens.
    n_docs: number of documents, including those without tokens.
    lengths: (n_pieces,) int64, tokens per piece; a piece's number is its first token's column. In
        order: tokens per document, (n_docs,).
    step_starts: the first column of each step.
    chains: the pieces, in order, of each document that has several.
    in_order: columns are tokens document after document, for `walks.py`; there are no steps.
    """

    scores: Floats
    transitions: Transitions
    rows: Ints
    columns: Ints
    docs: Ints
    first: Ints
    last: Ints
    n_docs: int
    lengths: Ints
    step_starts: Ints
    chains: list[Ints]
    in_order: bool = False

    @classmethod
    def of(
        cls,
        emissions: ArrayLike,
        lengths: ArrayLike,
        transitions: Transitions,
        *,
        in_pieces: bool = True,
    ) -> "Lattice":
        """Build the lattice of emissions (n_tokens, n_labels), document after document.

        lengths: (n_docs,) int. -inf forbids. in_pieces: cut long documents, for `run_pieces`, or
        leave them in order for `walks.py`; otherwise each document is one piece. Raises
        ValueError for NaN or +inf, and for emissions whose number of labels is not that of the
        transitions.
        """
        scores = check_emissions(emissions, lengths)
        if scores.shape[1] != transitions.n_labels:
            expected = f"(n_tokens, {transitions.n_labels}), as the transitions"
            raise ValueError(Errors.EL154.format(found=scores.shape, expected=expected))
        sizes = np.asarray(lengths, dtype=np.int64)
        if in_pieces and walks.fit(transitions):
            return cls._in_order(scores, sizes, transitions)
        piece = PIECE if in_pieces else max(1, int(sizes.max(initial=1)))
        in_doc = -(-sizes // piece)  # pieces
        first_piece = np.cumsum(in_doc) - in_doc
        place = np.arange(in_doc.sum()) - np.repeat(first_piece, in_doc)  # of a piece in its doc
        piece_sizes = np.minimum(piece, np.repeat(sizes, in_doc) - piece * place)
        order = np.argsort(-piece_sizes, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        first = np.cumsum(sizes) - sizes
        position = np.arange(len(scores)) - np.repeat(first, sizes)
        of_token = np.repeat(first_piece, sizes) + position // piece
        rows = np.lexsort((rank[of_token], position % piece))
        columns = np.empty_like(rows)
        columns[rows] = np.arange(len(rows))
        active = np.bincount(position % piece)  # pieces that have a token t
        docs = np.flatnonzero(sizes)
        return cls(
            scores=np.ascontiguousarray(scores[rows].T),
            transitions=transitions,
            rows=rows,
            columns=columns,
            docs=docs,
            first=columns[first[docs]],
            last=columns[first[docs] + sizes[docs] - 1],
            n_docs=len(sizes),
            lengths=piece_sizes[order],
            step_starts=np.cumsum(active) - active,
            chains=[rank[first_piece[i] :][: in_doc[i]] for i in np.flatnonzero(in_doc > 1)],
        )

    @classmethod
    def _in_order(cls, scores: Floats, sizes: Ints, transitions: Transitions) -> "Lattice":
        tokens, docs = np.arange(len(scores)), np.flatnonzero(sizes)
        ends = sizes.cumsum()[docs]
        return cls(
            scores=scores.T,
            transitions=transitions,
            rows=tokens,
            columns=tokens,
            docs=docs,
            first=ends - sizes[docs],
            last=ends - 1,
            n_docs=len(sizes),
            lengths=sizes,
            step_starts=np.zeros(0, dtype=np.int64),
            chains=[],
            in_order=True,
        )

    @property
    def walk(self) -> walks.Walk:
        """Return what walks a lattice that is in order."""
        return walks.Walk(self.scores.T, self.lengths, self.transitions)

    def steps(self, pieces: Ints | None = None) -> list[tuple[Columns, Columns]]:
        """Return the columns of tokens t - 1 and t of these pieces, ascending, for t = 1, ..."""
        if pieces is None or len(pieces) == len(self.lengths):
            return self._all_steps
        return [
            (before + pieces[:n], start + pieces[:n])
            for before, start, n in self._each_step(self.lengths[pieces])
        ]

    @cached_property
    def _all_steps(self) -> list[tuple[Columns, Columns]]:
        return [
            (slice(before, before + n), slice(start, start + n))
            for before, start, n in self._each_step(self.lengths)
        ]

    def _each_step(self, lengths: Ints) -> list[tuple[int, int, int]]:
        """Return the first columns of steps t - 1 and t, and how many pieces are longer than t."""
        if not len(lengths):
            return []
        active = np.searchsorted(-lengths, -np.arange(1, lengths[0])).tolist()
        starts = self.step_starts.tolist()
        return list(zip(starts, starts[1:], active, strict=False))

    @cached_property
    def piece_ends(self) -> Ints:
        """Return the columns of the pieces' last tokens, (n_pieces,)."""
        return self.step_starts[self.lengths - 1] + np.arange(len(self.lengths))

    @property
    def begins(self) -> Floats:
        """Return start scores where a document begins, elsewhere a guess: (n_labels, n_pieces)."""
        return np.where(self.before < 0, self.transitions.start_scores[:, None], 0.0)

    @property
    def ends(self) -> Floats:
        """Return end scores where a document ends, elsewhere a guess: (n_labels, n_pieces)."""
        return np.where(self.after < 0, self.transitions.end[:, None], 0.0)

    @cached_property
    def pieces(self) -> Ints:
        """Return the piece of each column, (n_tokens,)."""
        return np.arange(len(self.rows)) - np.repeat(
            self.step_starts, np.diff(self.step_starts, append=len(self.rows))
        )

    @property
    def doc_of_columns(self) -> Ints:
        """Return the document of each column, (n_tokens,)."""
        of_tokens = np.zeros(len(self.rows), dtype=np.int64)
        of_tokens[self.rows[self.first]] = np.diff(self.docs, prepend=0)
        return of_tokens.cumsum()[self.rows]

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """Return the columns of all tokens but each document's last, and of those after them."""
        follows = np.ones(len(self.columns), dtype=bool)
        follows[self.rows[self.first]] = False
        after = np.flatnonzero(follows)
        return self.columns[after - 1], self.columns[after]

    @cached_property
    def before(self) -> Ints:
        """Return the piece before each in the same document, or -1: (n_pieces,)."""
        return _linked(len(self.lengths), self.chains)

    @cached_property
    def after(self) -> Ints:
        """Return the piece after each in the same document, or -1: (n_pieces,)."""
        return _linked(len(self.lengths), [chain[::-1] for chain in self.chains])

    def per_doc(self, values: Floats) -> Floats:
        """Return values in the order of `docs` as (n_docs,), 0 for documents without tokens."""
        result = np.zeros(self.n_docs)
        result[self.docs] = values
        return result


def check_possible(scores: Floats, message: str) -> None:
    """Raise ValueError if a document scores -inf, so that no sequence of labels is possible.

    scores: (n_docs,); message: one with a place for {doc}.
    """
    impossible = np.flatnonzero(scores == -np.inf)
    if len(impossible):
        raise ValueError(message.format(doc=impossible[0]))


def _linked(n_pieces: int, chains: list[Ints]) -> Ints:
    result = np.full(n_pieces, -1)
    for chain in chains:
        result[chain[1:]] = chain[:-1]
    return result
