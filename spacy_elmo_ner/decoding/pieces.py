"""Walk the pieces of long documents side by side, with the results of walking them in order.

A recursion over 100,000 tokens takes as many steps, one after the other, and each is short. But
the scores that a piece begins with matter for a few tokens only. So all pieces begin with a guess
at the same time, and those whose predecessor then hands on something else run again, until
nothing changes. This nearly always takes two rounds. In the worst case there are as many rounds
as pieces: no more steps than in order, but more work in each. The result is always the same, up
to rounding.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .reductions import Floats, Ints


def run_pieces(
    follows: Ints,
    begins: NDArray,
    run: Callable[[Ints, NDArray], None],
    hand_on: Callable[[Ints], NDArray],
) -> None:
    """Run all pieces until each has begun with what the piece before it handed on.

    follows: (n_pieces,), the piece before each, or -1.
    begins: (..., n_pieces), what pieces begin with; a guess where they follow another.
    run: fills in the tokens of pieces, given their numbers, ascending, and what each begins with,
        (..., n).
    hand_on: returns what pieces hand on, (..., n), given the numbers of pieces that have run.
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


def run_scored_pieces(
    lattice: Lattice,
    backwards: bool,
    begins: Floats,
    run: Callable[[Ints, Floats], None],
    hand_on: Callable[[Ints], Floats],
) -> Floats:
    """Run all pieces on scores (n_labels, n_pieces); return what to add to each piece's scores.

    Pieces hand on from each document's first to its last, or backwards. The highest score is
    subtracted from what they hand on, so that a piece's results do not depend on how high a guess
    was; the offsets returned, (n_pieces,), add it again.
    """
    follows = lattice.after if backwards else lattice.before

    def lowered(pieces: Ints) -> Floats:
        scores = hand_on(pieces)
        return scores - _highest(scores)

    run_pieces(follows, begins, run, lowered)
    offsets = np.zeros(len(follows))
    following = np.flatnonzero(follows >= 0)
    offsets[following] = _highest(hand_on(follows[following]))
    for chain in lattice.chains:
        in_order = chain[::-1] if backwards else chain
        offsets[in_order] = offsets[in_order].cumsum()
    return offsets


def _highest(scores: Floats) -> Floats:
    """Return the maximum over the first axis; 0 where all are -inf, whose difference is NaN."""
    highest = scores.max(axis=0, initial=-np.inf)
    return np.where(highest == -np.inf, 0.0, highest)
