"""Compute a linear-chain CRF's loss and its gradient (Lafferty et al. 2001)."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Errors
from .lattice import Lattice, check_possible
from .marginals import run_forward, run_forward_backward
from .reductions import Floats
from .transitions import Transitions

MISSING = -1  # the gold label of a token that is not annotated


class CRFLoss(NamedTuple):
    """Holds the negative log-likelihood of gold and the gradient of its sum over documents.

    losses: (n_docs,) float64, -log P(gold) in nats.
    d_emissions: (n_tokens, n_labels) float64; d_transitions: float64, per field of transitions.
    """

    losses: Floats
    d_emissions: Floats
    d_transitions: dict[str, Floats]


def crf_loss(
    emissions: ArrayLike, lengths: ArrayLike, gold: ArrayLike, transitions: Transitions
) -> CRFLoss:
    """Compute loss and gradient of a batch, summed over documents: divide as the trainer needs.

    gold: (n_tokens,) int, label ids, or -1 for a token that is not annotated. The likelihood is
    summed over all labels allowed there, so a document without annotation adds nothing.
    Other arguments are those of `viterbi`. The gradient is 0 where transitions are -inf.

    Raises ValueError as `viterbi` does, for gold that is not a label, and for gold that the
    constraints forbid.
    """
    lattice = Lattice.of(emissions, lengths, transitions)
    # -log P(gold) = log Z(all sequences) - log Z(sequences that agree with gold), and likewise
    # for the gradient: expected counts among all minus expected counts among those that agree.
    agreeing = _agreeing(lattice, gold)
    expected = run_forward_backward(lattice)
    check_possible(expected.log_partition, Errors.EL158)
    observed = run_forward_backward(agreeing)
    check_possible(observed.log_partition, Errors.EL163)

    counts, seen = expected.of_transitions(), observed.of_transitions()
    return CRFLoss(
        losses=expected.log_partition - observed.log_partition,
        d_emissions=expected.of_labels() - observed.of_labels(),
        d_transitions={name: counts[name] - seen[name] for name in counts},
    )


def crf_losses(
    emissions: ArrayLike, lengths: ArrayLike, gold: ArrayLike, transitions: Transitions
) -> Floats:
    """Compute the losses of `crf_loss`, (n_docs,) float64, without gradient: a third of the cost.

    Arguments and errors are those of `crf_loss`.
    """
    lattice = Lattice.of(emissions, lengths, transitions)
    agreeing = _agreeing(lattice, gold)
    _, of_all = run_forward(lattice)
    check_possible(of_all, Errors.EL158)
    _, of_agreeing = run_forward(agreeing)
    check_possible(of_agreeing, Errors.EL163)
    return of_all - of_agreeing


def _agreeing(lattice: Lattice, gold: ArrayLike) -> Lattice:
    """Return the lattice of the sequences that agree with gold: other labels score -inf."""
    n_labels, n_tokens = lattice.scores.shape
    labels = np.asarray(gold)
    if labels.shape != (n_tokens,) or ((labels < MISSING) | (labels >= n_labels)).any():
        raise ValueError(
            Errors.EL162.format(
                shape=labels.shape,
                lowest=labels.min(initial=0),
                highest=labels.max(initial=0),
                n_tokens=n_tokens,
                n_labels=n_labels,
            )
        )
    column_gold = labels[lattice.rows]
    disagrees = (column_gold != MISSING) & (np.arange(n_labels)[:, None] != column_gold)
    return replace(lattice, scores=np.where(disagrees, -np.inf, lattice.scores))
