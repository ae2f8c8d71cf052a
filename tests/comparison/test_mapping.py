from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.mapping import LabelSets, entity_targets, translate
from spacy_elmo_ner.decoding import EntitySpan as ScoredSpan

WORDS = list("abcdef")
TABLE = {"geo": "GPE|LOC|FAC", "per": "PERSON", "nat": None}
KNOWN = LabelSets({"GPE", "LOC", "FAC", "PERSON"}, set())


def mapped(gold, predicted):
    annotations = [Annotation(WORDS, predicted, None)]
    truth = None if gold is None else [Annotation(WORDS, gold, None)]
    return translate("p", annotations, TABLE, {}, KNOWN, truth)


def test_a_label_that_may_mean_several_is_read_as_the_one_gold_has_there():
    predicted = [(0, 1, "geo"), (1, 3, "geo"), (3, 4, "geo"), (5, 6, "geo")]
    gold = [(0, 1, "LOC"), (2, 3, "FAC"), (3, 4, "PERSON")]
    found = mapped(gold, predicted)
    assert found.annotations[0].entities == [
        (0, 1, "LOC"),
        (1, 3, "FAC"),
        (3, 4, "GPE"),
        (5, 6, "GPE"),
    ]
    assert found.decided_by_gold == {"geo": 2}


def test_the_same_words_decide_before_words_in_part():
    found = mapped([(0, 1, "FAC"), (0, 2, "LOC")], [(0, 2, "geo")])
    assert found.annotations[0].entities == [(0, 2, "LOC")]


def test_without_gold_the_first_of_several_stands():
    found = mapped(None, [(0, 1, "geo"), (1, 2, "nat")])
    assert found.annotations[0].entities == [(0, 1, "GPE")]
    assert found.decided_by_gold["geo"] == 0
    assert found.unmapped_entities == {"nat": 1}


def test_targets_are_every_label_the_table_may_lead_to():
    assert entity_targets(TABLE) == {"GPE", "LOC", "FAC", "PERSON"}


def test_confidence_survives_mapping():
    annotation = Annotation(WORDS, [(0, 1, "per")], None, {(0, 1): 0.5})
    found = translate("p", [annotation], TABLE, {}, KNOWN, [Annotation(WORDS, [], None)])
    assert found.annotations[0].confidence == {(0, 1): 0.5}


def test_alternatives_are_mapped_alike_and_nothing_is_counted():
    others = (
        ScoredSpan(0, 1, "geo", 0.4),
        ScoredSpan(1, 2, "nat", 0.3),
        ScoredSpan(2, 3, "PERSON", 0.2),
    )
    annotation = Annotation(WORDS, [], None, alternatives=others)
    gold = [Annotation(WORDS, [(0, 1, "LOC")], None)]
    found = translate("p", [annotation], TABLE, {}, KNOWN, gold)
    assert found.annotations[0].alternatives == ((0, 1, "LOC", 0.4), (2, 3, "PERSON", 0.2))
    assert not found.unmapped_entities
    assert not +found.decided_by_gold
