import math

import numpy as np
import pytest

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.reliability import (
    Outcomes,
    entity_outcomes,
    reliability_bins,
    tag_outcomes,
    together,
)

WORDS = ["a", "b", "c", "d"]


def test_entities_are_counted_by_confidence_and_compared_with_gold():
    gold = Annotation(WORDS, [(0, 1, "x"), (1, 2, "x")], None)
    confidence = {(0, 1): 1.0, (1, 2): 0.91, (2, 3): 0.95, (3, 4): 0.15}
    guess = Annotation(
        WORDS, [(0, 1, "x"), (1, 2, "y"), (2, 3, "x"), (3, 4, "x")], None, confidence
    )
    outcomes = entity_outcomes([(gold, guess)])
    low, high = reliability_bins(outcomes)
    assert (low.low, low.high, low.n, low.share_right) == (0.1, 0.2, 1, 0.0)
    assert (high.n, high.share_right) == (3, pytest.approx(1 / 3))
    assert high.mean_confidence == pytest.approx((1.0 + 0.91 + 0.95) / 3)
    gap = 0.25 * 0.15 + 0.75 * (high.mean_confidence - 1 / 3)
    assert outcomes.calibration_error == pytest.approx(gap)


def test_entities_without_confidence_and_texts_without_gold_entities_are_left_out():
    gold = Annotation(WORDS, [(0, 1, "x")], None)
    guess = Annotation(WORDS, [(0, 1, "x"), (1, 2, "x")], None, {(0, 1): 0.5})
    assert entity_outcomes([(gold, guess)]) == ([0.5], [True])
    assert entity_outcomes([(Annotation(WORDS, None, None), guess)]) == ([], [])


def test_tags_are_counted_like_the_tag_accuracy():
    gold = Annotation(["a", " ", "c", "d", "e"], None, ["A", "_SP", "", "D", "E"])
    guess = Annotation(
        gold.words, None, ["A", "_SP", "C", "X", "E"], tag_confidence=[0.9, 0.8, 0.7, 0.6, math.nan]
    )
    assert tag_outcomes([(gold, guess)]) == ([0.9, 0.6], [True, False])
    untagged = Annotation(gold.words, None, None)
    assert tag_outcomes([(untagged, guess), (gold, untagged)]) == ([], [])


def test_pipelines_without_confidence_have_no_reliability():
    reading = Annotation(WORDS, [(0, 1, "x")], ["A"] * 4)
    pairs = [(reading, reading)]
    assert reliability_bins(entity_outcomes(pairs)) == []
    assert reliability_bins(tag_outcomes(pairs)) == []
    assert entity_outcomes(pairs).calibration_error == 0.0
    assert together([]) is None


def test_bins_hold_everything_and_their_gaps_are_the_calibration_error():
    random = np.random.default_rng(0)
    sure = random.random(500)
    outcomes = Outcomes(sure.tolist(), (random.random(500) < sure**2).tolist())
    bins = reliability_bins(outcomes)
    assert sum(each.n for each in bins) == 500
    gaps = sum(each.n * abs(each.mean_confidence - each.share_right) for each in bins) / 500
    assert outcomes.calibration_error == pytest.approx(gaps)
    whole = together(bins)
    assert whole is not None
    assert whole.mean_confidence == pytest.approx(sure.mean())
    assert whole.share_right == pytest.approx(np.mean(outcomes.right))
