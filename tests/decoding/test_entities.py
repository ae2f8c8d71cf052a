from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import (
    Decoder,
    EntitySpan,
    FullTransitions,
    LabelScheme,
    SpanChain,
    decode_entities,
    drop_unlikely,
    log_softmax,
    marginals,
)
from tests.decoding.brute_force import floats, random_parts, read

pytestmark = pytest.mark.filterwarnings("error")

SCHEME = LabelScheme(["geo", "per"])
READERS = ["softmax", "constrained", "crf", "structured crf"]


def decoder_for(
    reader: str, scheme: LabelScheme = SCHEME, temperature: float = 1.0, spread: float = 1.0
) -> Decoder:
    """A decoder of this kind; what a CRF would have learned is random, with this spread."""
    if "crf" not in reader:
        return Decoder(scheme, reader, temperature=temperature)
    rng, n = np.random.default_rng(scheme.n_labels), scheme.n_labels
    if reader == "crf":
        shapes = [(n, n), (n,), (n,)]
        learned = FullTransitions(*(rng.normal(0, spread, size=shape) for shape in shapes))
    else:
        types = len(scheme.entity_types)
        learned = random_parts(types, lambda shape: rng.normal(0, spread, size=shape))
    return Decoder(scheme, "crf", learned, temperature)


def entities_of(docs, decoder=None, **settings):
    """Of each document its entities alone; without a decoder with "constrained"."""
    found = decode_entities(docs, decoder or Decoder(SCHEME), **settings)
    return [one.entities for one in found]


def emissions_for(labels: list[str], score: float = 5.0) -> np.ndarray:
    """One document whose best labels are these, (n_tokens, 5) float32."""
    ids = [SCHEME.labels.index(label) for label in labels]
    return (score * np.eye(SCHEME.n_labels)[ids]).astype(np.float32)


def spans_of(entities: list[EntitySpan]) -> list[tuple[int, int, str]]:
    return [(one.start, one.end, one.label) for one in entities]


def check_spans(entities: list[EntitySpan], n_tokens: int, scheme: LabelScheme = SCHEME) -> None:
    """Refuse what is out of order, overlaps, reaches outside the document or has no known type."""
    borders = [0, *(border for one in entities for border in (one.start, one.end)), n_tokens]
    assert borders == sorted(borders)
    assert all(one.start < one.end and one.label in scheme.entity_types for one in entities)


@st.composite
def batches(draw: st.DrawFn):
    scheme = LabelScheme([f"type{i}" for i in range(draw(st.integers(0, 4)))])
    lengths = draw(st.lists(st.integers(0, 8), max_size=4))
    docs = [draw(floats((length, scheme.n_labels), 1e4)) for length in lengths]
    flags = [draw(st.lists(st.booleans(), min_size=n, max_size=n)) for n in lengths * 2]
    return scheme, docs, flags[: len(docs)], flags[len(docs) :]


@settings(deadline=None)
@given(batches(), st.sampled_from(READERS))
def test_entities_are_valid_whatever_the_scores(batch, reader):
    scheme, docs, blocked, skipped = batch
    decoder = decoder_for(reader, scheme)
    result = entities_of(docs, decoder, blocked=blocked, skipped=skipped)
    assert len(result) == len(docs)
    for doc, entities, no_entity, left_out in zip(docs, result, blocked, skipped, strict=True):
        check_spans(entities, len(doc), scheme)
        for start, end, _, probability in entities:
            assert 0 <= probability <= 1
            assert not any(no_entity[start:end])
            assert not left_out[start]
            assert not left_out[end - 1]


@pytest.mark.parametrize("reader", READERS)
def test_a_document_gives_the_same_entities_alone_and_in_any_batch(reader):
    rng = np.random.default_rng(0)
    docs = [rng.normal(0, 3, size=(n, 5)).astype(np.float32) for n in (5, 0, 1, 30, 12, 1, 7, 30)]
    decoder = decoder_for(reader)
    alone = [entities_of([doc], decoder)[0] for doc in docs]
    assert any(alone)
    assert entities_of(docs, decoder) == alone
    assert entities_of(docs[::-1], decoder) == alone[::-1]


@pytest.mark.parametrize("reader", READERS)
def test_clear_scores_give_the_entities_they_spell(reader):
    docs = [emissions_for(["B-geo", "I-geo", "O", "B-per"]), emissions_for(["O", "B-geo"])]
    first, second = entities_of(docs, decoder_for(reader, spread=0.0))
    assert spans_of(first) == [(0, 2, "geo"), (3, 4, "per")]
    assert spans_of(second) == [(1, 2, "geo")]
    assert all(0.9 < one.probability < 1 for one in [*first, *second])


def test_softmax_opens_an_entity_at_an_orphan_inside_tag():
    [entities] = entities_of([emissions_for(["O", "I-per", "I-per"])], Decoder(SCHEME, "softmax"))
    assert spans_of(entities) == [(1, 3, "per")]


def test_constrained_never_takes_an_orphan_inside_tag():
    emissions = emissions_for(["O", "I-per", "O"])
    emissions[0, 3] = 4  # B-per, second best
    [entities] = entities_of([emissions])
    assert spans_of(entities) == [(0, 2, "per")]


def test_crf_transitions_decide_where_scores_do_not():
    between = np.zeros((5, 5))
    between[1, 2] = 3.0  # B-geo is mostly followed by I-geo
    learned = FullTransitions(between, np.zeros(5))
    emissions = emissions_for(["B-geo", "O"], score=2.0)
    assert spans_of(entities_of([emissions])[0]) == [(0, 1, "geo")]
    [entities] = entities_of([emissions], Decoder(SCHEME, "crf", learned))
    assert spans_of(entities) == [(0, 2, "geo")]


def test_softmax_probability_is_that_of_reading_exactly_the_span():
    """Tokens are drawn independently, and every drawn sequence is read."""
    scheme = LabelScheme(["geo"])
    doc = np.random.default_rng(3).normal(0, 1.5, size=(5, 3))
    p = np.exp(log_softmax(doc))
    expected: dict[tuple, float] = {}
    for ids in product(range(3), repeat=5):
        for span in read(scheme, ids):
            expected[span] = expected.get(span, 0.0) + p[np.arange(5), ids].prod()
    spans = SpanChain.of_tokens(np.concatenate([doc, doc]), [5, 5])
    for start, end, label in expected:
        wanted = expected[start, end, label]
        found = spans.of_spans([start, start + 5], [end, end + 5], [0, 0])
        np.testing.assert_allclose(found, wanted, atol=1e-12)
    [entities] = entities_of([doc], Decoder(scheme, "softmax"))
    assert entities
    for one in entities:
        np.testing.assert_allclose(one.probability, expected[one[:3]], atol=1e-12)


def test_constrained_probability_is_the_span_marginal():
    rng = np.random.default_rng(3)
    docs = [np.zeros((3, 5)), rng.normal(size=(9, 5)), np.zeros((2, 5)), rng.normal(size=(6, 5))]
    result = entities_of(docs)
    # All scores equal: O wins everywhere, and forward-backward is not run there.
    assert result[0] == result[2] == []
    for doc, entities in zip(docs, result, strict=True):
        chain = SpanChain.of_marginals(marginals(doc, [len(doc)], SCHEME.constrain()))
        for start, end, label, probability in entities:
            which = SCHEME.entity_types.index(label)
            assert chain.of_spans([start], [end], [which]).tolist() == [probability]
    assert result[3]


@pytest.mark.parametrize("mode", ["softmax", "constrained"])
def test_an_entity_reaches_over_skipped_tokens_but_never_begins_or_ends_on_one(mode):
    labels = ["I-geo", "B-geo", "O", "I-geo", "I-geo", "I-geo"]
    skipped = [True, False, True, False, True, True]
    [entities] = entities_of([emissions_for(labels)], Decoder(SCHEME, mode), skipped=[skipped])
    assert spans_of(entities) == [(1, 4, "geo")]


@pytest.mark.parametrize("mode", ["softmax", "constrained"])
def test_a_skipped_token_leaves_the_probabilities_as_if_it_were_not_there(mode):
    emissions = np.random.default_rng(1).normal(0, 3, size=(20, 5)).astype(np.float32)
    without = entities_of([np.delete(emissions, [0, 7], axis=0)], Decoder(SCHEME, mode))[0]
    skipped = np.isin(np.arange(20), [0, 7])
    with_skipped = entities_of([emissions], Decoder(SCHEME, mode), skipped=[skipped])[0]
    assert [one.probability for one in with_skipped] == [one.probability for one in without]


@pytest.mark.parametrize("mode", ["softmax", "constrained"])
def test_no_entity_reaches_over_a_blocked_token(mode):
    emissions = emissions_for(["B-geo", "I-geo", "I-geo"])
    blocked = [[False, True, False]]
    for skipped in (None, blocked):
        decoder = Decoder(SCHEME, mode)
        [entities] = entities_of([emissions], decoder, blocked=blocked, skipped=skipped)
        assert all(one.end <= 1 or one.start >= 2 for one in entities)
        assert spans_of(entities)[0] == (0, 1, "geo")


@pytest.mark.parametrize("reader", READERS)
def test_documents_without_tokens_have_no_entities(reader):
    decoder = decoder_for(reader)
    empty = np.zeros((0, 5), dtype=np.float32)
    assert entities_of([], decoder) == []
    assert entities_of([empty, empty], decoder) == [[], []]


@pytest.mark.parametrize("reader", READERS)
def test_one_token_can_be_an_entity(reader):
    [[entity]] = entities_of([emissions_for(["B-per"])], decoder_for(reader, spread=0.0))
    assert entity[:3] == (0, 1, "per")


@pytest.mark.parametrize("reader", READERS)
def test_without_entity_types_nothing_is_found(reader):
    assert entities_of([np.zeros((3, 1))], decoder_for(reader, LabelScheme([]))) == [[]]


@pytest.mark.parametrize("reader", READERS)
def test_a_score_that_is_no_number_is_named_with_its_place(reader):
    docs = [np.zeros((2, 5)), np.zeros((3, 5))]
    docs[1][2, 4] = np.nan
    with pytest.raises(ValueError, match=r"EL155.*label 4 at token 2 of document 1 .*nan"):
        entities_of(docs, decoder_for(reader))


def test_scores_for_other_labels_are_refused():
    with pytest.raises(ValueError, match=r"EL154.*\(3, 4\).*\(n_tokens, 5\)"):
        entities_of([np.zeros((3, 4))])


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match=r"EL159.*'greedy'.*softmax, constrained, crf"):
        Decoder(SCHEME, "greedy")


def test_transitions_belong_to_the_crf():
    with pytest.raises(ValueError, match=r"EL160.*'crf' has no"):
        Decoder(SCHEME, "crf")
    with pytest.raises(ValueError, match=r"EL160.*'softmax' takes no"):
        Decoder(SCHEME, "softmax", FullTransitions.zeros(5))


@pytest.mark.parametrize("name", ["blocked", "skipped"])
def test_flags_that_do_not_fit_are_named(name):
    docs = [np.zeros((2, 5)), np.zeros((3, 5))]
    with pytest.raises(ValueError, match=f"EL161. {name} of document 1 .*3 tokens"):
        entities_of(docs, **{name: [[False] * 2, [False] * 2]})
    with pytest.raises(ValueError, match=f"EL166. {name} holds 1 .*2 documents"):
        entities_of(docs, **{name: [[False] * 2]})


@pytest.mark.parametrize("reader", READERS)
def test_temperature_changes_probabilities_and_no_reading(reader):
    docs = [np.random.default_rng(i).normal(0, 2, size=(12, 5)) for i in range(4)]
    results = {t: entities_of(docs, decoder_for(reader, temperature=t)) for t in (0.5, 1.0, 2.0)}
    assert [spans_of(one) for one in results[0.5]] == [spans_of(one) for one in results[2.0]]
    sure = {
        t: np.mean([e.probability for doc in found for e in doc]) for t, found in results.items()
    }
    assert sure[0.5] > sure[1.0] > sure[2.0]


@pytest.mark.parametrize("reader", READERS)
def test_alternatives_are_all_other_spans_above_their_threshold(reader):
    docs = [np.random.default_rng(i).normal(0, 2, size=(n, 5)) for i, n in enumerate([6, 0, 4])]
    decoder = decoder_for(reader)
    found = decode_entities(docs, decoder, alternatives=0.05)
    everything = decode_entities(docs, decoder, alternatives=1e-12)
    assert any(one.alternatives for one in found)
    for few, all_spans in zip(found, everything, strict=True):
        assert few.entities == all_spans.entities
        assert few.alternatives == [s for s in all_spans.alternatives if s.probability >= 0.05]
        assert few.alternatives == sorted(few.alternatives)
        spans = {one[:3] for one in (*all_spans.entities, *all_spans.alternatives)}
        assert len(spans) == len(all_spans.entities) + len(all_spans.alternatives)
    # Every possible span is there: no candidate was lost on the way.
    assert len(everything[0].entities) + len(everything[0].alternatives) == 2 * (6 * 7 // 2)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("threshold", [0.1, 0.4, 0.6, 0.9])
def test_a_threshold_leaves_only_entities_that_reach_it(reader, threshold):
    docs = [np.random.default_rng(i).normal(0, 2, size=(20, 5)) for i in range(5)]
    decoder = decoder_for(reader)
    free = decode_entities(docs, decoder)
    for before, after in zip(
        free, decode_entities(docs, decoder, threshold=threshold), strict=True
    ):
        assert all(one.probability >= threshold for one in after.entities)
        check_spans(after.entities, 20)
        for one in before.entities:
            assert (one in after.entities) == (one.probability >= threshold)


def test_what_is_dropped_makes_room_for_the_best_that_remains():
    dropped = EntitySpan(0, 3, "per", 0.35)
    kept = EntitySpan(5, 6, "geo", 0.9)
    better, good = EntitySpan(0, 1, "per", 0.45), EntitySpan(1, 3, "per", 0.42)
    clash, low = EntitySpan(0, 2, "per", 0.41), EntitySpan(2, 3, "geo", 0.2)
    into_kept, elsewhere = EntitySpan(2, 6, "per", 0.44), EntitySpan(7, 8, "geo", 0.48)
    candidates = [dropped, kept, low, clash, good, better, into_kept, elsewhere]
    assert drop_unlikely([dropped, kept], candidates, 0.4) == [better, good, kept]
    assert drop_unlikely([dropped, kept], candidates, 0.3) == [dropped, kept]
    assert drop_unlikely([dropped, kept], candidates, 0.5) == [kept]


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, np.nan])
def test_a_temperature_that_is_none_is_named(temperature):
    with pytest.raises(ValueError, match=f"EL168. {temperature} "):
        Decoder(SCHEME, temperature=temperature)


@pytest.mark.parametrize("settings", [{"threshold": 1.5}, {"alternatives": 0.0}])
def test_thresholds_that_are_no_probability_are_named(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"EL169. {name} is {value}"):
        decode_entities([], Decoder(SCHEME), **settings)
