import numpy as np
import pytest
from hypothesis import given, settings

from spacy_elmo_ner.decoding import (
    BIOTransitions,
    FullTransitions,
    LabelScheme,
    SpanChain,
    log_softmax,
    marginals,
    viterbi,
)
from tests.decoding.brute_force import Model, all_sequences, models, random_parts

# A NaN on the way would be announced by a warning.
pytestmark = pytest.mark.filterwarnings("error")


def every_span(lengths: list[int], n_types: int) -> np.ndarray:
    """(n_spans, 3): start, end (counted over the batch) and type of all possible spans."""
    spans, offset = [], 0
    for length in lengths:
        spans += [
            (offset + start, offset + end, which)
            for start in range(length)
            for end in range(start + 1, length + 1)
            for which in range(n_types)
        ]
        offset += length
    return np.asarray(spans, dtype=np.int64).reshape(-1, 3)


def span_probabilities(model: Model) -> tuple[np.ndarray, np.ndarray]:
    spans = every_span(model.lengths, len(model.scheme.entity_types))
    starts, ends, types = spans.T
    found = marginals(model.emissions, model.lengths, model.transitions)
    return spans, SpanChain.of_marginals(found).of_spans(starts, ends, types)


@settings(deadline=None, max_examples=50)
@given(models())
def test_partition_and_label_marginals_equal_the_sum_over_all_sequences(model):
    found = marginals(model.emissions, model.lengths, model.transitions)
    parts = np.split(found.of_labels(), np.cumsum(model.lengths)[:-1])
    for doc, part, log_partition in zip(model.docs, parts, found.log_partition, strict=True):
        every = all_sequences(doc, model)
        np.testing.assert_allclose(log_partition, every.log_partition, rtol=1e-12, atol=1e-12)
        is_label = every.ids[:, :, None] == np.arange(model.scheme.n_labels)
        expected = (every.probabilities[:, None, None] * is_label).sum(axis=0)
        np.testing.assert_allclose(part, expected, atol=1e-12)
        np.testing.assert_allclose(part.sum(axis=1), 1, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(models())
def test_pair_counts_equal_the_sum_over_all_sequences(model):
    n_labels = model.scheme.n_labels
    expected = np.zeros((n_labels, n_labels))
    for doc in model.docs:
        every = all_sequences(doc, model)
        for t in range(1, len(doc)):
            np.add.at(expected, (every.ids[:, t - 1], every.ids[:, t]), every.probabilities)
    counts = marginals(model.emissions, model.lengths, model.transitions).of_transitions()
    if isinstance(model.transitions, BIOTransitions):
        begins = np.arange(1, n_labels, 2)
        inside = [expected[k, k + k % 2] for k in range(1, n_labels)]
        of_parts = {
            "outside": expected[0, [0, *begins]],
            "leave": np.stack([expected[1:, 0], expected[1:, begins].sum(axis=1)], axis=1),
            "enter": expected[1:, begins].sum(axis=0),
            "inside": np.asarray(inside),
        }
    else:
        of_parts = {"between": expected}
    for name, values in of_parts.items():
        np.testing.assert_allclose(counts[name], values, atol=1e-12, err_msg=name)


@settings(deadline=None, max_examples=50)
@given(models())
def test_span_marginals_equal_the_sum_over_all_sequences(model):
    spans, found = span_probabilities(model)
    ends = np.cumsum(model.lengths)
    every_sequence = [all_sequences(doc, model) for doc in model.docs]
    for (start, end, which), probability in zip(spans, found, strict=True):
        doc = int(np.searchsorted(ends, start, side="right"))
        offset = ends[doc] - model.lengths[doc]
        every = every_sequence[doc]
        inside = 2 + 2 * which
        is_span = every.ids[:, start - offset] == inside - 1
        is_span &= (every.ids[:, start - offset + 1 : end - offset] == inside).all(axis=1)
        if end < ends[doc]:
            is_span &= every.ids[:, end - offset] != inside
        np.testing.assert_allclose(probability, every.probabilities[is_span].sum(), atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(models(highest=5))
def test_spans_above_a_threshold_are_exactly_those(model):
    spans, probabilities = span_probabilities(model)
    found = marginals(model.emissions, model.lengths, model.transitions)
    likely, theirs = SpanChain.of_marginals(found).above(0.02)
    expected = sorted(tuple(span) for span in spans[probabilities >= 0.02].tolist())
    assert list(zip(*(column.tolist() for column in likely), strict=True)) == expected
    np.testing.assert_allclose(sorted(theirs), sorted(probabilities[probabilities >= 0.02]))


@settings(deadline=None, max_examples=50)
@given(models(highest=100, kinds=["full", "structured"]))
def test_a_token_is_outside_or_in_exactly_one_span(model):
    model = model._replace(transitions=model.scheme.constrain(model.transitions))
    spans, probabilities = span_probabilities(model)
    total = marginals(model.emissions, model.lengths, model.transitions).of_labels()[:, 0]
    for (first, end, _), probability in zip(spans, probabilities, strict=True):
        total[first:end] += probability
    np.testing.assert_allclose(total, 1, atol=1e-9)


@pytest.mark.parametrize("kind", ["full", "structured"])
def test_a_document_gives_the_same_bits_alone_and_in_any_batch(kind):
    rng = np.random.default_rng(0)
    scheme = LabelScheme([f"type{i}" for i in range(8)])
    transitions = random_parts(8, lambda shape: rng.normal(size=shape))
    if kind == "full":
        transitions = scheme.constrain(
            FullTransitions(rng.normal(size=(17, 17)), rng.normal(size=17), rng.normal(size=17))
        )
    docs = [
        rng.normal(0, 4, size=(length, 17)).astype(np.float32)
        for length in [*rng.integers(0, 40, size=60), *[1] * 40, 0, 200, 700]
    ]

    def run(batch):
        emissions, lengths = np.concatenate(batch), [len(doc) for doc in batch]
        ids, scores = viterbi(emissions, lengths, transitions)
        found = marginals(emissions, lengths, transitions)
        spans = scheme.read_spans(ids, lengths)
        in_spans = np.zeros(len(ids))
        in_spans[spans.starts] = SpanChain.of_marginals(found).of_spans(*spans)
        cuts = np.cumsum(lengths)[:-1]
        per_token = [np.split(x, cuts) for x in (ids, found.of_labels(), in_spans)]
        return list(zip(scores, found.log_partition, *per_token, strict=True))

    alone = [run([doc])[0] for doc in docs]
    for order in (np.arange(len(docs)), rng.permutation(len(docs)), rng.permutation(len(docs))[:7]):
        for which, together in zip(order, run([docs[i] for i in order]), strict=True):
            for expected, found in zip(alone[which], together, strict=True):
                np.testing.assert_array_equal(found, expected)


def test_a_long_document_is_as_exact_as_a_short_one():
    # Without transitions tokens are independent, so the right answer is known at any length.
    scheme = LabelScheme(["geo", "per"])
    emissions = np.random.default_rng(0).normal(0, 30, size=(2000, 5)).astype(np.float32)
    log_p = log_softmax(emissions)
    found = marginals(emissions, [2000], FullTransitions.zeros(5))
    np.testing.assert_allclose(found.of_labels(), np.exp(log_p), atol=1e-9)
    sums = np.logaddexp.reduce(emissions.astype(np.float64), axis=1).sum()
    np.testing.assert_allclose(found.log_partition, sums, rtol=1e-12)
    starts = np.arange(1990)
    expected = np.exp(log_p[starts, 1] + log_p[starts + 1, 2]) * -np.expm1(log_p[starts + 2, 2])
    # An entity of two tokens that are B-geo and I-geo.
    spans = SpanChain.of_marginals(found).of_spans(starts, starts + 2, np.zeros_like(starts))
    np.testing.assert_allclose(spans, expected, atol=1e-9)
    constrained = marginals(emissions, [2000], scheme.constrain()).of_labels()
    np.testing.assert_allclose(constrained.sum(axis=1), 1, atol=1e-9)


def test_a_span_as_long_as_a_long_document_keeps_its_probability():
    emissions = np.zeros((2000, 3), dtype=np.float32)
    emissions[0, 1] = emissions[1:, 2] = 25
    found = marginals(emissions, [2000], LabelScheme(["geo"]).constrain())
    expected = np.exp(-2 * 2000 * np.exp(-25.0))  # 2 other labels at each token
    whole = SpanChain.of_marginals(found).of_spans([0], [2000], [0])
    np.testing.assert_allclose(whole, [expected], atol=1e-6)


def test_extreme_scores_stay_finite():
    rng = np.random.default_rng(0)
    emissions = rng.choice([-1e4, 1e4], size=(500, 5))
    found = marginals(emissions, [300, 200], LabelScheme(["geo", "per"]).constrain())
    assert np.isfinite(found.log_partition).all()
    np.testing.assert_allclose(found.of_labels().sum(axis=1), 1, atol=1e-9)


def test_a_far_worse_start_of_the_best_sequence_is_not_lost():
    # B-geo is 20,000 below O, but only it leads to I-geo, 100,000 above. Working with
    # probabilities instead of their logarithms would lose it.
    emissions = [[1e4, -1e4, 0], [0, 0, 1e5]]
    found = marginals(emissions, [2], LabelScheme(["geo"]).constrain())
    assert SpanChain.of_marginals(found).of_spans([0], [2], [0]).tolist() == [1]


def test_a_span_over_a_forbidden_label_has_probability_zero():
    scheme = LabelScheme(["geo"])
    emissions = scheme.block(np.zeros((3, 3)), [False, True, False])
    transitions = FullTransitions.zeros(3)
    transitions.between[1, 0] = -np.inf  # now B-geo at token 0 leads nowhere
    found = marginals(emissions, [3], scheme.constrain(transitions))
    spans = [0, 0, 1, 2], [1, 2, 2, 3], [0] * 4
    chain = SpanChain.of_marginals(found)
    np.testing.assert_allclose(chain.of_spans(*spans), [0, 0, 0, 0.5], atol=1e-12)


@pytest.mark.parametrize(("start", "end"), [(1, 1), (-1, 1), (0, 3), (2, 4)])
def test_a_span_that_is_not_in_one_document_is_refused(start, end):
    found = marginals(np.zeros((3, 3)), [2, 1], LabelScheme(["geo"]).constrain())
    with pytest.raises(ValueError, match=f"EL164.*{start} to {end} "):
        SpanChain.of_marginals(found).of_spans([start], [end], [0])


def test_documents_without_tokens_have_one_empty_sequence():
    found = marginals(np.zeros((0, 3)), [0, 0], LabelScheme(["geo"]).constrain())
    assert found.log_partition.tolist() == [0, 0]
    assert found.of_labels().shape == (0, 3)
    assert SpanChain.of_marginals(found).of_spans([], [], []).shape == (0,)


def test_a_document_without_possible_sequence_is_named():
    emissions = np.zeros((2, 1))
    emissions[1] = -np.inf
    with pytest.raises(ValueError, match=r"EL158.*Document 1 "):
        marginals(emissions, [1, 1], FullTransitions.zeros(1))
