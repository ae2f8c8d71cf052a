import math

import numpy as np
import pytest
import spacy

from spacy_elmo_ner.comparison.calibration import (
    THRESHOLDS,
    Outcomes,
    calibration_error,
    entity_outcomes,
    reliability_bins,
    tag_outcomes,
    threshold_curve,
    together,
)
from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.results import ThresholdPoint
from spacy_elmo_ner.comparison.run import Comparison, compare
from spacy_elmo_ner.decoding import EntitySpan

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
    assert calibration_error(outcomes) == pytest.approx(gap)


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
    assert calibration_error(entity_outcomes(pairs)) == 0.0
    assert together([]) is None


def test_the_calibration_error_is_the_weighted_gap_of_the_bins():
    outcomes = Outcomes(
        [0.95, 0.95, 0.95, 0.95, 0.15, 0.15], [True, True, True, False, True, False]
    )
    expected = (4 * abs(0.95 - 3 / 4) + 2 * abs(0.15 - 1 / 2)) / 6
    assert calibration_error(outcomes) == pytest.approx(expected)
    assert calibration_error(Outcomes([1.0, 0.0], [True, False])) == 0.0
    assert calibration_error(Outcomes([], [])) == 0.0


def test_bins_hold_everything_and_their_gaps_are_the_calibration_error():
    random = np.random.default_rng(0)
    sure = random.random(500)
    outcomes = Outcomes(sure.tolist(), (random.random(500) < sure**2).tolist())
    bins = reliability_bins(outcomes)
    assert sum(each.n for each in bins) == 500
    gaps = sum(each.n * abs(each.mean_confidence - each.share_right) for each in bins) / 500
    assert calibration_error(outcomes) == pytest.approx(gaps)
    whole = together(bins)
    assert whole is not None
    assert whole.mean_confidence == pytest.approx(sure.mean())
    assert whole.share_right == pytest.approx(np.mean(outcomes.right))


GOLD = Annotation(WORDS, [(0, 1, "x"), (1, 2, "y"), (3, 4, "x")], None)
SURE = {(0, 1): 0.9, (1, 2): 0.3, (2, 3): 0.6}
GUESS = Annotation(
    WORDS,
    [(0, 1, "x"), (1, 2, "x"), (2, 3, "x"), (3, 4, "x")],
    None,
    # The last is of a pipe that gives no confidence.
    SURE,
    (EntitySpan(1, 2, "y", 0.7),),
)


def at(curve, threshold):
    (point,) = [each for each in curve.points if each.threshold == threshold]
    return (point.precision, pytest.approx(point.recall))


def test_unlikely_entities_give_way_to_likelier_ones_and_others_stay():
    curve = threshold_curve([(GOLD, GUESS)], 0.0)
    assert curve.own == 0.0
    assert [each.threshold for each in curve.points] == list(THRESHOLDS)
    assert at(curve, 0.0) == (2 / 4, 2 / 3)
    assert at(curve, 0.5) == (3 / 4, 1.0)
    assert at(curve, 0.65) == (1.0, 1.0)
    assert at(curve, 0.95) == (1.0, 1 / 3)


def test_the_curve_begins_at_the_pipelines_own_threshold_and_ends_where_nothing_is_right():
    unsure = Annotation(WORDS, [(0, 1, "x")], None, {(0, 1): 0.5})
    curve = threshold_curve([(GOLD, unsure)], 0.42)
    assert curve.points[0] == ThresholdPoint(0.42, 1.0, pytest.approx(1 / 3), pytest.approx(0.5))
    assert [each.threshold for each in curve.points] == [0.42, 0.45, 0.5]


def test_a_pipeline_without_confidences_has_no_curve():
    assert threshold_curve([(GOLD, Annotation(WORDS, GOLD.entities, None))], 0.0) is None


def scores(source, corpus):
    task = Comparison([("ours", str(source))], [corpus], repeats=0, progress=False)
    (system,) = compare(task).results.corpora[0].systems
    return system


def test_the_curve_is_what_the_pipeline_does_with_that_threshold(
    elmo_folder, write_corpus, tmp_path
):
    corpus = write_corpus()
    free = scores(elmo_folder, corpus)
    assert free.thresholds.own == 0.0
    seen = set()
    for point in free.thresholds.points:
        settings = {"components.elmo_ner.threshold": point.threshold}
        nlp = spacy.load(elmo_folder, config=settings)
        nlp.to_disk(tmp_path / "strict")
        strict = scores(tmp_path / "strict", corpus)
        found = strict.ner["spacy_scorer_ents"]
        assert (found.precision, found.recall, found.f1) == pytest.approx(
            (point.precision, point.recall, point.f1)
        )
        # spaCy reads a saved 0.3 as 0.30000000000000004.
        assert strict.thresholds.own == pytest.approx(point.threshold)
        # From there on, the curve of the strict pipeline is that of the free one.
        assert strict.thresholds.points[-1] == free.thresholds.points[-1]
        seen.add(found.f1)
    assert len(seen) > 1
