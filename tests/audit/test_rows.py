import pytest
import spacy
from spacy.tokens import Doc

from spacy_elmo_ner.audit.rows import context, entity_regions, kind_of, spelled
from spacy_elmo_ner.decoding import EntitySpan

VOCAB = spacy.blank("en").vocab


def spans(*found):
    return [EntitySpan(*one, 1.0) for one in found]


def test_only_what_differs_is_a_region_and_overlapping_spans_share_one():
    gold = spans((0, 1, "geo"), (2, 4, "per"), (6, 7, "org"), (9, 10, "tim"))
    suggested = spans((0, 1, "geo"), (2, 3, "per"), (3, 6, "per"), (6, 7, "geo"), (8, 9, "art"))
    regions = list(entity_regions(gold, suggested))
    assert regions == [
        (spans((2, 4, "per")), spans((2, 3, "per"), (3, 6, "per"))),
        (spans((6, 7, "org")), spans((6, 7, "geo"))),
        ([], spans((8, 9, "art"))),
        (spans((9, 10, "tim")), []),
    ]
    assert list(entity_regions(gold, gold)) == list(entity_regions([], [])) == []


@pytest.mark.parametrize(
    ("gold", "suggested", "kind"),
    [
        ([], [(0, 1, "geo")], "missing"),
        ([(0, 1, "geo")], [], "spurious"),
        ([(0, 2, "geo")], [(0, 2, "per")], "type"),
        ([(0, 2, "geo")], [(0, 1, "geo")], "boundary"),
        ([(0, 2, "geo")], [(0, 1, "geo"), (1, 2, "geo")], "boundary"),
        ([(0, 2, "geo")], [(0, 1, "per")], "type and boundary"),
    ],
)
def test_kinds_of_difference(gold, suggested, kind):
    assert kind_of(spans(*gold), spans(*suggested)) == kind


def test_spans_are_spelled_with_their_words():
    doc = Doc(VOCAB, words=["New", "York", "Times"])
    assert spelled(doc, spans((0, 2, "geo"), (2, 3, "org"))) == "New York=geo, Times=org"
    assert spelled(doc, []) == ""


def test_the_context_is_one_line_with_the_words_marked():
    doc = Doc(VOCAB, words=[f"w{i}" for i in range(30)])
    assert context(doc, 10, 12).startswith("... w2 w3") and "w9 [[w10 w11]] w12" in context(
        doc, 10, 12
    )
    assert context(doc, 10, 12).endswith("w19 ...")
    short = Doc(VOCAB, words=["a\tb", "\n", "c"])
    assert context(short, 0, 3) == "[[a b c]]"
