import pytest
import spacy

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.findings import ThresholdPoint
from spacy_elmo_ner.comparison.run import Comparison, compare
from spacy_elmo_ner.comparison.thresholds import threshold_curve
from spacy_elmo_ner.decoding import EntitySpan as ScoredSpan
from spacy_elmo_ner.pipeline.confidence import THRESHOLDS

WORDS = ["a", "b", "c", "d"]
GOLD = Annotation(WORDS, [(0, 1, "x"), (1, 2, "y"), (3, 4, "x")], None)
SURE = {(0, 1): 0.9, (1, 2): 0.3, (2, 3): 0.6}
GUESS = Annotation(
    WORDS,
    [(0, 1, "x"), (1, 2, "x"), (2, 3, "x"), (3, 4, "x")],
    None,
    # The last is of a pipe that gives no confidence.
    SURE,
    (ScoredSpan(1, 2, "y", 0.7),),
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
        assert strict.thresholds.own == point.threshold
        # From there on, the curve of the strict pipeline is that of the free one.
        assert strict.thresholds.points[-1] == free.thresholds.points[-1]
        seen.add(found.f1)
    assert len(seen) > 1
