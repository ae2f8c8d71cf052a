import pytest

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.reliability import expected_calibration_error, reliability

WORDS = ["a", "b", "c", "d"]


def test_entities_are_counted_by_confidence_and_compared_with_gold():
    gold = Annotation(WORDS, [(0, 1, "x"), (1, 2, "x")], None)
    confidence = {(0, 1): 1.0, (1, 2): 0.91, (2, 3): 0.95, (3, 4): 0.15}
    guess = Annotation(
        WORDS, [(0, 1, "x"), (1, 2, "y"), (2, 3, "x"), (3, 4, "x")], None, confidence
    )
    low, high = reliability([(gold, guess)])
    assert (low.low, low.high, low.n, low.share_right) == (0.1, 0.2, 1, 0.0)
    assert (high.n, high.share_right) == (3, pytest.approx(1 / 3))
    assert high.mean_confidence == pytest.approx((1.0 + 0.91 + 0.95) / 3)
    gap = 0.25 * 0.15 + 0.75 * (high.mean_confidence - 1 / 3)
    assert expected_calibration_error([low, high]) == pytest.approx(gap)


def test_pipelines_without_confidence_have_no_reliability():
    reading = Annotation(WORDS, [(0, 1, "x")], None)
    assert reliability([(reading, reading)]) == []
    assert expected_calibration_error([]) == 0.0
