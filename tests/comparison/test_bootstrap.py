import numpy as np
import pytest

from spacy_elmo_ner.comparison.bootstrap import (
    MIN_TEXTS,
    bootstrap_f1,
    compare_counts,
    entity_counts,
    f1_of,
    tag_counts,
)
from spacy_elmo_ner.comparison.corpora import Annotation

GENERATOR = np.random.default_rng(0)


def counts(n: int, share_right: float) -> np.ndarray:
    gold = np.full(n, 4)
    right = GENERATOR.binomial(4, share_right, size=n)
    return np.stack([right, gold, gold], axis=1)


def test_counts_are_of_exact_entities_and_of_real_tagged_words():
    gold = [
        Annotation(["a", "\n", "c"], [(0, 1, "x"), (2, 3, "y")], ["N", "S", "V"]),
        Annotation(["d"], None, None),
    ]
    guess = [
        Annotation(["a", "\n", "c"], [(0, 1, "x"), (1, 3, "y")], ["N", "N", "N"]),
        Annotation(["d"], [(0, 1, "x")], ["N"]),
    ]
    assert entity_counts(gold, guess).tolist() == [[1, 2, 2], [0, 0, 0]]
    assert tag_counts(gold, guess).tolist() == [[1, 2, 2], [0, 0, 0]]


def test_a_draw_is_the_f1_of_texts_drawn_with_replacement():
    one, other = counts(30, 0.9), counts(30, 0.5)
    drawn = bootstrap_f1([one, other], draws=150, seed=7)
    weights = np.random.default_rng(7).multinomial(30, np.full(30, 1 / 30), size=100)
    assert drawn.shape == (2, 150)
    expected = f1_of((weights[:, :, None] * one[None]).sum(axis=1))
    assert drawn[0, :100] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_interval():
    systems = {"a": counts(50, 0.8), "b": counts(50, 0.7)}
    assert compare_counts("m", systems, draws=200) == compare_counts("m", systems, draws=200)


def test_a_clear_difference_is_told_from_chance_and_none_is_not():
    better, worse = counts(300, 0.9), counts(300, 0.6)
    intervals, (apart,) = compare_counts("m", {"a": better, "b": worse}, draws=500)
    assert apart.difference == pytest.approx(float(f1_of(better.sum(0)) - f1_of(worse.sum(0))))
    assert apart.interval.low > 0.2
    assert apart.p_value < 0.01
    assert intervals["a"].low < float(f1_of(better.sum(axis=0))) < intervals["a"].high
    _, (same,) = compare_counts("m", {"a": better, "b": better.copy()}, draws=500)
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(60):
        right = generator.binomial(4, 0.75, size=120)
        table = np.stack([right, np.full(120, 4), np.full(120, 4)], axis=1)
        intervals, _ = compare_counts("m", {"a": table}, draws=200, seed=1)
        hits += intervals["a"].low <= 0.75 <= intervals["a"].high
    assert hits >= 51


def test_few_texts_get_no_interval():
    few = counts(MIN_TEXTS - 1, 0.5)
    padded = np.concatenate([few, np.zeros((50, 3), dtype=np.int64)])
    assert compare_counts("m", {"a": few}) == ({}, [])
    assert compare_counts("m", {"a": padded}) == ({}, [])
    assert compare_counts("m", {}) == ({}, [])
