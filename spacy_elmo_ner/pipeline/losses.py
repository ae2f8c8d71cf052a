"""Compute the losses of single tokens; `layers/crf.py` has that of sequences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import MISSING

HeadModel = Model[list[Doc], list[Floats2d]]


def cross_entropy(
    emissions: Floats2d, gold: Any, xp: Any, *, negative: Any = None, smoothing: float = 0.0
) -> tuple[float, Floats2d]:
    """Compute the mean over annotated tokens in nats, and its gradient for the emissions.

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


def rehearsal(model: HeadModel, tutor: HeadModel, docs: Sequence[Doc]) -> float:
    """Run a training step of the model towards the tutor's probabilities, up to its gradients.

    Returns the mean cross-entropy over tokens, in nats. Labels that only the model has are left
    out.
    """
    xp = model.ops.xp
    target = xp.concatenate(tutor.predict(list(docs)))
    scores, backprop = model.begin_update(list(docs))
    emissions, n_known = xp.concatenate(scores), target.shape[1]
    log_p = _log_softmax(emissions[:, :n_known], xp)
    tutored = xp.exp(_log_softmax(target, xp))
    gradient = xp.zeros_like(emissions)
    gradient[:, :n_known] = (xp.exp(log_p) - tutored) / len(emissions)
    backprop(
        xp.split(gradient, np.cumsum([len(doc_scores) for doc_scores in scores])[:-1].tolist())
    )
    return -float((tutored * log_p).sum()) / len(emissions)


def _log_softmax(scores: Any, xp: Any) -> Any:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))
