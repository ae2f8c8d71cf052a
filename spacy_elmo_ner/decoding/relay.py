"""Walk the pieces of long documents side by side, with the results of walking them in order.

A recursion over 100,000 tokens takes as many steps, one after the other, each of them short. But
what a piece begins with is soon forgotten: pieces begin with a guess, and those to whom the
piece they follow then hands on something else run again, until nothing changes. Nearly always
that is two rounds. Where nothing is ever forgotten there are as many rounds as pieces: still no
more steps than in order, but more work in each. The result is always the same, up to rounding.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .reductions import Floats, Ints

Pieces = Ints


def relay(
    follows: Pieces,
    begins: NDArray,
    run: Callable[[Pieces, NDArray], None],
    hand_on: Callable[[Pieces], NDArray],
) -> None:
    """follows: (n_pieces,), the piece that hands on to each, or -1.

    begins: (..., n_pieces), what pieces begin with: a guess where they follow another.
    run: given pieces, ascending, and what each begins with (..., n), fills in their tokens.
    hand_on: given pieces that have run, what each hands on, (..., n).
    """
    begins = begins.copy()
    following = np.flatnonzero(follows >= 0)
    run(np.arange(len(follows)), begins)
    for _ in following:  # no piece has more before it; and sums that overflow never compare equal
        handed_on = hand_on(follows[following])
        changed = np.atleast_2d(handed_on != begins[..., following]).any(axis=0)
        if not changed.any():
            break
        pieces = following[changed]
        begins[..., pieces] = handed_on[..., changed]
        run(pieces, begins[..., pieces])


def relay_scores(
    lattice: Lattice,
    backwards: bool,
    begins: Floats,
    run: Callable[[Pieces, Floats], None],
    hand_on: Callable[[Pieces], Floats],
) -> Floats:
    """`relay` of scores (n_labels, n_pieces), handed on from each document's first piece to its
    last, or backwards. They are handed on less the highest of them, so that a piece's results do
    not depend on how high a guess was; returned is what to add to each piece's, (n_pieces,).
    """
    follows = lattice.after if backwards else lattice.before

    def lowered(pieces: Pieces) -> Floats:
        scores = hand_on(pieces)
        return scores - _highest(scores)

    relay(follows, begins, run, lowered)
    offsets = np.zeros(len(follows))
    following = np.flatnonzero(follows >= 0)
    offsets[following] = _highest(hand_on(follows[following]))
    for chain in lattice.chains:
        in_order = chain[::-1] if backwards else chain
        offsets[in_order] = offsets[in_order].cumsum()
    return offsets


def _highest(scores: Floats) -> Floats:
    """Over the first axis; 0 where all are -inf, whose difference would be NaN."""
    highest = scores.max(axis=0, initial=-np.inf)
    return np.where(highest == -np.inf, 0.0, highest)
