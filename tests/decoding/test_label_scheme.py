import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import FullTransitions, LabelScheme, Span
from tests.decoding.brute_force import spelled_out

SCHEME = LabelScheme(["geo", "per"])
O, B_GEO, I_GEO, B_PER, I_PER = range(5)  # noqa: E741 (the label's name)


@st.composite
def documents(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans that do not overlap, and the document's number of tokens."""
    pieces = draw(
        st.lists(st.tuples(st.integers(1, 4), st.sampled_from([None, "geo", "per"])), max_size=6)
    )
    spans, n_tokens = [], 0
    for length, label in pieces:
        if label:
            spans.append(Span(n_tokens, n_tokens + length, label))
        n_tokens += length
    return spans, n_tokens


def test_labels_stand_in_the_order_of_the_types():
    assert SCHEME.labels == ("O", "B-geo", "I-geo", "B-per", "I-per")
    assert SCHEME.n_labels == 5


def test_without_types_there_is_the_outside_label_alone():
    scheme = LabelScheme([])
    assert scheme.labels == ("O",)
    assert scheme.allowed.tolist() == [[True]]
    assert scheme.start_allowed.tolist() == [True]
    assert scheme.decode([0, 0]) == []


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


@settings(deadline=None)
@given(documents())
def test_spans_survive_encoding(document):
    spans, n_tokens = document
    ids = SCHEME.encode(spans, n_tokens)
    assert ids.shape == (n_tokens,)
    assert SCHEME.decode(ids) == spans


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=12))
def test_any_tags_are_read_as_valid_bio(tag_ids):
    ids = SCHEME.encode(SCHEME.decode(tag_ids), len(tag_ids))
    assert SCHEME.start_allowed[ids[:1]].all()
    assert SCHEME.allowed[ids[:-1], ids[1:]].all()
    # Types stay; only an orphan's prefix changes.
    assert [SCHEME.labels[i][2:] for i in ids] == [SCHEME.labels[i][2:] for i in tag_ids]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=5))
def test_tags_are_read_as_seqeval_reads_them(documents):
    metrics = pytest.importorskip("seqeval.metrics.sequence_labeling")
    for tag_ids in documents:
        expected = metrics.get_entities([SCHEME.labels[i] for i in tag_ids])
        assert SCHEME.decode(tag_ids) == [Span(s, e + 1, label) for label, s, e in expected]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=5))
def test_no_span_reaches_into_the_next_document(documents):
    flat = [i for one in documents for i in one]
    spans = SCHEME.read_spans(flat, [len(one) for one in documents])
    expected, offset = [], 0
    for one in documents:
        expected += [(offset + s, offset + e, label) for s, e, label in SCHEME.decode(one)]
        offset += len(one)
    types = [SCHEME.entity_types[i] for i in spans.types]
    assert list(zip(spans.starts, spans.ends, types, strict=True)) == expected


def test_orphan_inside_tag_opens_an_entity():
    assert SCHEME.decode([O, I_GEO, I_GEO]) == [Span(1, 3, "geo")]
    assert SCHEME.decode([B_GEO, I_PER]) == [Span(0, 1, "geo"), Span(1, 2, "per")]


def test_two_entities_of_one_type_may_touch():
    assert SCHEME.decode([B_GEO, B_GEO, I_GEO]) == [Span(0, 1, "geo"), Span(1, 3, "geo")]


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
        SCHEME.decode(tag_ids)


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([(1, 1, "geo")], "empty"),
        ([(-1, 1, "geo")], "outside"),
        ([(2, 4, "geo")], "outside"),
        ([(0, 1, "org")], "unknown"),
        ([(0, 2, "geo"), (1, 3, "per")], "overlaps"),
    ],
)
def test_a_span_that_cannot_be_encoded_is_named(spans, problem):
    with pytest.raises(ValueError, match=f"EL153.*{problem}"):
        SCHEME.encode(spans, 3)
