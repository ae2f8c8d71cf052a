"""Precision against recall, where entities below a threshold of confidence are dropped."""

from ..decoding import Decoded
from ..decoding import EntitySpan as ScoredSpan
from ..pipeline.confidence import THRESHOLDS, operating_point
from .annotation import Annotation
from .breakdown import Pairs
from .findings import ThresholdCurve, ThresholdPoint


def threshold_curve(pairs: Pairs, own: float) -> ThresholdCurve | None:
    """One point a threshold, None for a pipeline without confidences.

    own: the threshold the pipeline ran with. Below it there are no points: what it dropped is
    not known. From it up they are what the pipeline does with that threshold.
    """
    if not any(guess.confidence for _, guess in pairs):
        return None
    wanted = [set(truth.entities or ()) for truth, _ in pairs]
    found = [_decoded(guess) for _, guess in pairs]
    thresholds = sorted({own, *(each for each in THRESHOLDS if each > own)})
    points = [operating_point(wanted, found, threshold) for threshold in thresholds]
    # Where nothing right is left, precision says nothing.
    return ThresholdCurve(own, [ThresholdPoint(*each) for each in points if each.f > 0])


def _decoded(guess: Annotation) -> Decoded:
    """An entity without confidence is of another pipe, which no threshold touches."""
    entities = [
        ScoredSpan(*span, guess.confidence.get(span[:2], 1.0)) for span in guess.entities or ()
    ]
    return Decoded(entities, list(guess.alternatives))
