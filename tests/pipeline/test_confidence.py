"""What is read from a Doc that only has the span group, as a DocBin without user data keeps it."""

import numpy as np
import spacy
from spacy.tokens import Doc, Span, SpanGroup

from spacy_elmo_ner.pipeline.confidence import decoded_entities, register_entities

NLP = spacy.blank("en")
WORDS = ["Mary", "Smith", "left", "Paris", "."]
register_entities()


def doc_with_group(n_entities, *scored):
    """scored: (start, end, label, probability), the entities first."""
    doc = Doc(NLP.vocab, words=WORDS)
    spans = [Span(doc, *one[:3]) for one in scored]
    doc.ents = spans[:n_entities]
    scores = np.asarray([one[3] for one in scored], dtype="f")
    doc.spans["elmo_ner"] = SpanGroup(doc, spans=spans, attrs={"scores": scores})
    return doc


def test_entities_and_alternatives_are_told_apart():
    doc = doc_with_group(2, (0, 2, "per", 0.9), (3, 4, "org", 0.4), (3, 4, "geo", 0.3))
    found = decoded_entities(doc)
    assert [one[:3] for one in found.entities] == [(0, 2, "per"), (3, 4, "org")]
    assert [one[:3] for one in found.alternatives] == [(3, 4, "geo")]
    np.testing.assert_allclose([ent._.confidence for ent in doc.ents], [0.9, 0.4], atol=1e-6)
    unscored = Doc(NLP.vocab, words=WORDS)
    unscored.ents = [Span(unscored, 0, 1, "per")]
    assert decoded_entities(unscored) == ([], [])


def test_another_group_in_its_place_is_read_anew():
    doc = doc_with_group(1, (0, 2, "per", 0.9))
    assert round(doc.ents[0]._.confidence, 4) == 0.9
    other = SpanGroup(doc, spans=list(doc.ents), attrs={"scores": np.asarray([0.2], dtype="f")})
    doc.spans["elmo_ner"] = other
    assert round(doc.ents[0]._.confidence, 4) == 0.2
