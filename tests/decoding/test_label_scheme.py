from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import FullTransitions, LabelScheme, bio_to_spans, spans_to_bio
from tests.decoding.brute_force import read, spelled_out

SCHEME = LabelScheme(["geo", "per"])


def test_labels_stand_in_the_order_of_the_types():
    assert SCHEME.labels == ("O", "B-geo", "I-geo", "B-per", "I-per")
    assert SCHEME.n_labels == 5


def test_without_types_there_is_the_outside_label_alone():
    scheme = LabelScheme([])
    assert scheme.labels == ("O",)
    assert scheme.allowed.tolist() == [[True]]
    assert scheme.start_allowed.tolist() == [True]
    assert read(scheme, [0, 0]) == []


def test_inside_follows_only_its_own_type_and_never_starts():
    for before, first in enumerate(SCHEME.labels):
        for after, second in enumerate(SCHEME.labels):
            valid = not second.startswith("I-") or first[2:] == second[2:]
            assert SCHEME.allowed[before, after] == valid, (first, second)
    assert SCHEME.start_allowed.tolist() == [True, True, False, True, False]


def test_constraints_keep_learned_scores_and_forbid_the_rest():
    learned = np.arange(25.0).reshape(5, 5)
    found = SCHEME.constrain(FullTransitions(learned, np.arange(5.0), np.arange(5.0)))
    assert (found.between[SCHEME.allowed] == learned[SCHEME.allowed]).all()
    assert (found.between[~SCHEME.allowed] == -np.inf).all()
    assert found.start.tolist() == [0, 1, -np.inf, 3, -np.inf]
    assert found.end.tolist() == list(range(5))


def test_without_learned_scores_all_that_is_allowed_is_equally_good():
    found = spelled_out(SCHEME.constrain())
    np.testing.assert_array_equal(found.between, np.where(SCHEME.allowed, 0.0, -np.inf))
    np.testing.assert_array_equal(found.start, np.where(SCHEME.start_allowed, 0.0, -np.inf))


def test_schemes_of_equal_types_are_equal_and_cannot_be_changed():
    assert LabelScheme(["geo", "per"]) == LabelScheme(("geo", "per"))
    assert hash(LabelScheme(["geo", "per"])) == hash(SCHEME)
    with pytest.raises(AttributeError):
        SCHEME.entity_types = ("org",)
    with pytest.raises(ValueError, match="read-only"):
        SCHEME.allowed[0, 2] = True


LABELS = ["O", "B-per", "I-per", "B-tim-x", "I-tim-x"]


def test_spans_become_labels_and_spans_again():
    spans = [(0, 1, "per"), (1, 4, "org"), (5, 6, "geo")]
    labels = spans_to_bio(7, spans)
    assert labels == ["B-per", "B-org", "I-org", "I-org", "O", "B-geo", "O"]
    assert bio_to_spans(labels) == spans


@settings(deadline=None)
@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_any_labels_are_read_as_valid_bio(labels):
    written = spans_to_bio(len(labels), bio_to_spans(labels))
    for before, after in pairwise(["O", *written]):
        assert not after.startswith("I-") or before[2:] == after[2:]
    # Types stay; only an orphan's prefix changes.
    assert [one[2:] for one in written] == [one[2:] for one in labels]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_ids_are_read_as_labels_are(labels):
    scheme = LabelScheme(["per", "tim-x"])
    ids = [scheme.labels.index(label) for label in labels]
    assert read(scheme, ids) == bio_to_spans(labels)


@settings(deadline=None)
@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_labels_are_read_as_seqeval_reads_them(labels):
    metrics = pytest.importorskip("seqeval.metrics.sequence_labeling")
    expected = [(start, last + 1, label) for label, start, last in metrics.get_entities(labels)]
    assert bio_to_spans(labels) == expected


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=5))
def test_no_span_reaches_into_the_next_document(documents):
    flat = [i for one in documents for i in one]
    spans = SCHEME.read_spans(flat, [len(one) for one in documents])
    expected, offset = [], 0
    for one in documents:
        expected += [(offset + s, offset + e, label) for s, e, label in read(SCHEME, one)]
        offset += len(one)
    types = [SCHEME.entity_types[i] for i in spans.types]
    assert list(zip(spans.starts, spans.ends, types, strict=True)) == expected


def test_an_orphan_inside_label_begins_an_entity():
    assert bio_to_spans(["I-per", "O", "I-geo", "I-geo"]) == [(0, 1, "per"), (2, 4, "geo")]
    assert bio_to_spans(["B-per", "I-org", "I-org"]) == [(0, 1, "per"), (1, 3, "org")]


def test_two_entities_of_one_type_may_touch():
    assert bio_to_spans(["B-per", "B-per", "I-per"]) == [(0, 1, "per"), (1, 3, "per")]


def test_a_blocked_token_can_only_be_outside():
    emissions = np.ones((2, 5), dtype=np.float32)
    scores = SCHEME.block(emissions, [False, True])
    assert (emissions == 1).all()
    assert (scores[0] == 1).all()
    assert scores[1].tolist() == [1] + [-np.inf] * 4


@pytest.mark.parametrize("types", [["geo", ""], ["geo", "geo"], ["geo", 3]])
def test_an_unusable_type_is_named(types):
    with pytest.raises(ValueError, match=r"EL151.*number 1"):
        LabelScheme(types)


@pytest.mark.parametrize("tag_ids", [[0, 5], [0, -1]])
def test_an_unknown_tag_is_named(tag_ids):
    with pytest.raises(ValueError, match=r"EL152.*token 1 .*0 to 4"):
        read(SCHEME, tag_ids)
