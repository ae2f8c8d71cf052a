"""What training minimizes: per token by itself, or per sequence."""

from typing import Any

from thinc.types import Floats2d

from ..decoding import MISSING


def cross_entropy(
    emissions: Floats2d, gold: Any, xp: Any, *, negative: Any = None, smoothing: float = 0.0
) -> tuple[float, Floats2d]:
    """Mean over the annotated tokens in nats, and its gradient, as emissions.

    emissions: (n_tokens, n_classes) float32; gold: (n_tokens,) int64, classes or MISSING; both
    of xp, which is numpy or cupy. Tokens that are not annotated add nothing.
    negative: (n_tokens,) int64, the class that a token is known not to have, or MISSING: its loss
    is -log of the probability of all others. smoothing: this share of each gold class goes to
    the other classes evenly (Szegedy et al. 2016).
    """
    gradient = xp.zeros_like(emissions)
    positive = xp.flatnonzero(gold != MISSING)
    excluded = xp.flatnonzero(xp.zeros(0) if negative is None else negative != MISSING)
    n_annotated = len(positive) + len(excluded)
    total = 0.0
    if len(positive):
        log_p = _log_softmax(emissions[positive], xp)
        row, n_others = xp.arange(len(positive)), max(1, emissions.shape[1] - 1)
        target = xp.full_like(log_p, smoothing / n_others)
        target[row, gold[positive]] = 1.0 - smoothing
        total -= float((target * log_p).sum())
        gradient[positive] = (xp.exp(log_p) - target) / n_annotated
    if len(excluded):
        log_p = _log_softmax(emissions[excluded], xp)
        row, wrong = xp.arange(len(excluded)), negative[excluded]
        p = xp.exp(log_p)
        # Where all is on the wrong class, the gradient is that of pushing it down.
        others = xp.maximum(1.0 - p[row, wrong], 1e-6)
        total -= float(xp.log(others).sum())
        d = -p * (p[row, wrong] / others)[:, None]
        d[row, wrong] = p[row, wrong]
        gradient[excluded] = d / n_annotated
    return total / max(1, n_annotated), gradient


def distillation(emissions: Floats2d, target: Floats2d, xp: Any) -> tuple[float, Floats2d]:
    """Mean cross-entropy over tokens in nats of these scores under the target scores'
    probabilities, both (n_tokens, n_classes) float32, and its gradient for the emissions."""
    log_p, wanted = _log_softmax(emissions, xp), xp.exp(_log_softmax(target, xp))
    return -float((wanted * log_p).sum()) / len(log_p), (xp.exp(log_p) - wanted) / len(log_p)


def _log_softmax(scores: Any, xp: Any) -> Any:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))
