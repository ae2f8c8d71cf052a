"""Transitions in parts give what the same transitions give spelled out for each pair of labels."""

from dataclasses import replace

import numpy as np
import pytest

from spacy_elmo_ner.decoding import (
    BIOTransitions,
    FullTransitions,
    SpanChain,
    crf_loss,
    k_best,
    marginals,
    viterbi,
)
from tests.decoding.brute_force import random_parts, spelled_out

pytestmark = pytest.mark.filterwarnings("error")

N_TYPES = [0, 1, 3, 20]
LENGTHS = [12, 0, 1, 30]


def random_case(
    n_types: int, spread: float = 3.0
) -> tuple[np.ndarray, BIOTransitions, FullTransitions]:
    """Emissions of documents with LENGTHS, transitions in parts and spelled out."""
    rng = np.random.default_rng(n_types)
    parts = random_parts(n_types, lambda shape: rng.normal(0, 2, size=shape))
    emissions = rng.normal(0, spread, size=(sum(LENGTHS), parts.n_labels)).astype(np.float32)
    return emissions, parts, spelled_out(parts)


@pytest.mark.parametrize("n_types", N_TYPES)
def test_the_best_sequences_are_the_same(n_types):
    emissions, parts, full = random_case(n_types)
    (ids, scores), (same_ids, same_scores) = (
        viterbi(emissions, LENGTHS, one) for one in (parts, full)
    )
    np.testing.assert_array_equal(ids, same_ids)
    np.testing.assert_allclose(scores, same_scores, rtol=1e-12)
    (ids, scores), (same_ids, same_scores) = (
        k_best(3, emissions, LENGTHS, one) for one in (parts, full)
    )
    np.testing.assert_allclose(scores, same_scores, rtol=1e-12)
    for doc, places in enumerate(np.split(np.arange(sum(LENGTHS)), np.cumsum(LENGTHS)[:-1])):
        possible = scores[:, doc] > -np.inf
        np.testing.assert_array_equal(ids[possible][:, places], same_ids[possible][:, places])


@pytest.mark.parametrize("spread", [3.0, 1e4])
@pytest.mark.parametrize("n_types", N_TYPES)
def test_probabilities_are_the_same(n_types, spread):
    emissions, parts, full = random_case(n_types, spread)
    found, same = (marginals(emissions, LENGTHS, one) for one in (parts, full))
    np.testing.assert_allclose(found.log_partition, same.log_partition, rtol=1e-12)
    np.testing.assert_allclose(found.of_labels(), same.of_labels(), atol=1e-9)
    (spans, likely), (same_spans, same_likely) = (
        SpanChain.of_marginals(one).above(1e-3) for one in (found, same)
    )
    np.testing.assert_array_equal(spans, same_spans)
    np.testing.assert_allclose(likely, same_likely, atol=1e-9)


@pytest.mark.parametrize("n_types", N_TYPES)
def test_losses_and_gradients_are_the_same(n_types):
    emissions, parts, full = random_case(n_types)
    gold, _ = viterbi(-emissions, LENGTHS, parts)
    gold[::3] = -1
    found, same = (crf_loss(emissions, LENGTHS, gold, one) for one in (parts, full))
    np.testing.assert_allclose(found.losses, same.losses, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.d_emissions, same.d_emissions, atol=1e-9)
    of_pairs, begins = same.d_transitions["between"], np.arange(1, parts.n_labels, 2)
    d_enter = of_pairs[1:, begins].sum(axis=0)
    np.testing.assert_allclose(found.d_transitions["enter"], d_enter, atol=1e-9)
    d_inside = [of_pairs[k, k + k % 2] for k in range(1, parts.n_labels)]
    np.testing.assert_allclose(found.d_transitions["inside"], d_inside, atol=1e-9)
    not_inside = [0, *begins]
    d_start = same.d_transitions["start"][not_inside]
    np.testing.assert_allclose(found.d_transitions["start"], d_start, atol=1e-9)
    np.testing.assert_allclose(found.d_transitions["end"], same.d_transitions["end"], atol=1e-9)


def test_parts_cannot_be_changed():
    with pytest.raises(AttributeError):
        BIOTransitions.zeros(1).enter = np.ones(1)


def test_equal_scores_over_a_temperature_stay_what_they_forbid():
    parts = replace(BIOTransitions.zeros(1), enter=[-np.inf], outside=[1.0, 3.0])
    warmer = parts.over(2.0)
    assert warmer.enter.tolist() == [-np.inf] and warmer.outside.tolist() == [0.5, 1.5]
