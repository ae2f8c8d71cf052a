"""Entities and alternatives of an annotated Doc, each with its probability."""

import numpy as np
import spacy
from spacy.tokens import Doc, Span, SpanGroup

from spacy_elmo_ner.pipeline.confidence import decoded_entities

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


def test_entities_and_alternatives_are_told_apart():
    predicted = [(0, 2, "per", 0.9), (3, 4, "org", 0.4)]
    found = decoded_entities(predicted_doc(predicted, [(3, 4, "geo", 0.3)]))
    assert [one[:3] for one in found.entities] == [(0, 2, "per"), (3, 4, "org")]
    assert [one[:3] for one in found.alternatives] == [(3, 4, "geo")]
    assert [round(one.probability, 4) for one in found.entities] == [0.9, 0.4]
    assert decoded_entities(gold_doc((0, 1, "per"))) == ([], [])
