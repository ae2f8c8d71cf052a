"""What training minimizes: per token by itself, or per sequence."""

from typing import Any

from thinc.types import Floats2d

from ..decoding import MISSING


def cross_entropy(emissions: Floats2d, gold: Any, xp: Any) -> tuple[float, Floats2d]:
    """Mean over the annotated tokens in nats, and its gradient, as emissions.

    emissions: (n_tokens, n_classes) float32; gold: (n_tokens,) int64, classes or MISSING; both
    of xp, which is numpy or cupy. Tokens that are not annotated add nothing.
    """
    annotated = xp.flatnonzero(gold != MISSING)
    gradient = xp.zeros_like(emissions)
    if not len(annotated):
        return 0.0, gradient
    shifted = emissions[annotated]
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    log_probabilities = shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))
    row, chosen = xp.arange(len(annotated)), gold[annotated]
    d_annotated = xp.exp(log_probabilities)
    d_annotated[row, chosen] -= 1
    gradient[annotated] = d_annotated / len(annotated)
    return -float(log_probabilities[row, chosen].mean()), gradient
