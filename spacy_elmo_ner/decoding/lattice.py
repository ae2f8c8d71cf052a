"""All label sequences of a batch of documents, laid out to be walked step by step."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .emissions import check_emissions
from .reductions import Floats, Ints
from .transitions import Columns, Transitions

# Long documents are walked in pieces of this many tokens, side by side (see relay.py). A label says
# nothing of those a few entities further on, so a piece hands on the same whatever it began with.
PIECE = 256


@dataclass(frozen=True)
class Lattice:
    """Scores of every label at every token, and of the transitions between them.

    Tokens stand in columns: the first tokens of all pieces of documents, longest piece first, then
    the second tokens of those that have one, and so on. Each time step is then one block
    without padding, and a batch costs memory for the tokens it has, not for its longest
    document. All sums run over the first axis in one order whatever the number of columns, so a
    document's results are the same bits in any batch.

    scores: (n_labels, n_tokens) float64.
    rows: (n_tokens,) int64, the token (counted document after document) of each column.
    columns: (n_tokens,) int64, the column of each token.
    docs: documents that have tokens, int64; first, last: columns of their first and last tokens.
    n_docs: documents in all, those without tokens included.
    lengths: (n_pieces,) int64, tokens of each piece; the column of its first token is its number.
    step_starts: the first column of each step.
    chains: of each document in several pieces these, in order.
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

    @classmethod
    def of(
        cls,
        emissions: ArrayLike,
        lengths: ArrayLike,
        transitions: Transitions,
        *,
        in_pieces: bool = True,
    ) -> "Lattice":
        """emissions: (n_tokens, n_labels), document after document; lengths: (n_docs,) int.

        Everywhere -inf forbids. in_pieces: cut long documents, for `relay`; else each is one
        piece. Raises ValueError for NaN or +inf, and for emissions of other labels than the
        transitions'.
        """
        scores = check_emissions(emissions, lengths)
        if scores.shape[1] != transitions.n_labels:
            expected = f"(n_tokens, {transitions.n_labels}), as the transitions"
            raise ValueError(Errors.EL154.format(found=scores.shape, expected=expected))
        sizes = np.asarray(lengths, dtype=np.int64)
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

    def steps(self, pieces: Ints | None = None) -> list[tuple[Columns, Columns]]:
        """Columns (of tokens t - 1, of tokens t) of these pieces, ascending, for t = 1, ..."""
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
        """The first columns of steps t - 1 and t, and how many pieces are longer than t tokens."""
        if not len(lengths):
            return []
        active = np.searchsorted(-lengths, -np.arange(1, lengths[0])).tolist()
        starts = self.step_starts.tolist()
        return list(zip(starts, starts[1:], active, strict=False))

    @cached_property
    def piece_ends(self) -> Ints:
        """(n_pieces,): columns of their last tokens."""
        return self.step_starts[self.lengths - 1] + np.arange(len(self.lengths))

    @property
    def begins(self) -> Floats:
        """(n_labels, n_pieces): start where a document begins, elsewhere a guess: anything."""
        return np.where(self.before < 0, self.transitions.start_scores[:, None], 0.0)

    @property
    def ends(self) -> Floats:
        """(n_labels, n_pieces): end where a document ends, elsewhere a guess."""
        return np.where(self.after < 0, self.transitions.end_scores[:, None], 0.0)

    @cached_property
    def pieces(self) -> Ints:
        """(n_tokens,): the piece of each column."""
        return np.arange(len(self.rows)) - np.repeat(
            self.step_starts, np.diff(self.step_starts, append=len(self.rows))
        )

    @property
    def doc_of_columns(self) -> Ints:
        """(n_tokens,): the document of each column."""
        of_tokens = np.zeros(len(self.rows), dtype=np.int64)
        of_tokens[self.rows[self.first]] = np.diff(self.docs, prepend=0)
        return of_tokens.cumsum()[self.rows]

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """Columns of the tokens of all documents but their last, and of those that follow them."""
        follows = np.ones(len(self.columns), dtype=bool)
        follows[self.rows[self.first]] = False
        after = np.flatnonzero(follows)
        return self.columns[after - 1], self.columns[after]

    @cached_property
    def before(self) -> Ints:
        """(n_pieces,): the piece before in the same document, or -1."""
        return _linked(len(self.lengths), self.chains)

    @cached_property
    def after(self) -> Ints:
        """(n_pieces,): the piece after in the same document, or -1."""
        return _linked(len(self.lengths), [chain[::-1] for chain in self.chains])

    def per_doc(self, values: Floats) -> Floats:
        """(n_docs,) in the caller's order, from values in the order of `docs`; 0 where a
        document has no tokens."""
        result = np.zeros(self.n_docs)
        result[self.docs] = values
        return result


def check_possible(scores: Floats, message: str) -> None:
    """Raise ValueError(message) for the first document whose score is -inf: no sequence of
    labels is possible there. scores: (n_docs,); message: with a place for {doc}."""
    impossible = np.flatnonzero(scores == -np.inf)
    if len(impossible):
        raise ValueError(message.format(doc=impossible[0]))


def _linked(n_pieces: int, chains: list[Ints]) -> Ints:
    result = np.full(n_pieces, -1)
    for chain in chains:
        result[chain[1:]] = chain[:-1]
    return result
