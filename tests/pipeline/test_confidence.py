"""Calibration error and precision against recall, from gold Docs and annotated ones."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span, SpanGroup

from spacy_elmo_ner.pipeline.confidence import (
    decoded_entities,
    expected_calibration_error,
    precision_recall_curve,
    scored_entities,
)

NLP = spacy.blank("en")
WORDS = ["Mary", "Smith", "left", "Paris", "."]


def gold_doc(*ents):
    doc = Doc(NLP.vocab, words=WORDS)
    doc.ents = [Span(doc, *ent) for ent in ents]
    return doc


def predicted_doc(entities, alternatives=()):
    """Each a (start, end, label, probability), as elmo_ner writes them."""
    doc = Doc(NLP.vocab, words=WORDS)
    spans = [Span(doc, *one[:3]) for one in (*entities, *alternatives)]
    doc.ents = spans[: len(entities)]
    scores = np.asarray([one[3] for one in (*entities, *alternatives)], dtype="f")
    doc.spans["elmo_ner"] = SpanGroup(doc, spans=spans, attrs={"scores": scores})
    return doc


GOLD = [gold_doc((0, 2, "per"), (3, 4, "geo")), gold_doc((3, 4, "geo"))]
PREDICTED = [
    predicted_doc([(0, 2, "per", 0.9), (3, 4, "org", 0.4)], [(3, 4, "geo", 0.3)]),
    predicted_doc([(0, 1, "per", 0.25), (3, 4, "geo", 0.75)], [(0, 2, "per", 0.5)]),
]


def test_entities_and_alternatives_are_told_apart():
    found = decoded_entities(PREDICTED[0])
    assert [one[:3] for one in found.entities] == [(0, 2, "per"), (3, 4, "org")]
    assert [one[:3] for one in found.alternatives] == [(3, 4, "geo")]
    assert decoded_entities(gold_doc((0, 1, "per"))) == ([], [])


def test_each_entity_has_its_confidence_and_whether_it_is_right():
    found = scored_entities(GOLD, PREDICTED)
    np.testing.assert_allclose(found.confidences, [0.9, 0.4, 0.25, 0.75], atol=1e-6)
    assert found.right.tolist() == [True, False, False, True]
    assert found.n_gold == 3


def test_a_threshold_drops_entities_and_lets_alternatives_take_their_place():
    found = scored_entities(GOLD, PREDICTED, threshold=0.45)
    np.testing.assert_allclose(found.confidences, [0.9, 0.5, 0.75], atol=1e-6)
    assert found.right.tolist() == [True, False, True]


def test_the_curve_has_a_point_for_each_threshold():
    free, middle, high, above_all = precision_recall_curve(GOLD, PREDICTED, [0.0, 0.6, 0.8, 0.95])
    assert free == (0.0, 2 / 4, 2 / 3, pytest.approx(4 / 7))
    assert middle == (0.6, 1.0, 2 / 3, pytest.approx(4 / 5))
    assert high == (0.8, 1.0, 1 / 3, pytest.approx(1 / 2))
    assert above_all == (0.95, 0.0, 0.0, 0.0)


def test_the_curve_is_what_the_pipe_does_with_that_threshold(make_nlp):
    from .conftest import make_examples

    nlp = make_nlp("elmo_ner", steps=12)
    examples = make_examples(nlp)
    gold = [example.reference for example in examples]
    pipe = nlp.get_pipe("elmo_ner")
    pipe.alternatives = 0.01
    predicted = list(nlp.pipe(Doc(nlp.vocab, words=[t.text for t in doc]) for doc in gold))
    for point in precision_recall_curve(gold, predicted, [0.0, 0.2, 0.3, 0.5]):
        pipe.threshold = point.threshold
        scores = nlp.evaluate(examples)
        assert (scores["ents_p"] or 0.0) == pytest.approx(point.precision)
        assert (scores["ents_r"] or 0.0) == pytest.approx(point.recall)


def test_calibration_error_is_the_weighted_gap_of_the_bins():
    confidences = [0.95, 0.95, 0.95, 0.95, 0.15, 0.15]
    right = [True, True, True, False, True, False]
    expected = (4 * abs(0.95 - 3 / 4) + 2 * abs(0.15 - 1 / 2)) / 6
    assert expected_calibration_error(confidences, right) == pytest.approx(expected)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([], []) == 0.0
