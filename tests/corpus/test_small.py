"""How often a small corpus is read."""

import pytest

from spacy_elmo_ner.corpus.small import SMALL_CORPUS_TOKENS, epochs_for, steps_for


@pytest.mark.parametrize(
    "n_tokens, steps",
    [(0, 300), (3_782, 300), (12_000, 300), (55_984, 1_399), (SMALL_CORPUS_TOKENS, 2_500)],
)
def test_a_small_corpus_is_read_thirty_times_but_in_three_hundred_steps_at_least(n_tokens, steps):
    assert steps_for(n_tokens) == steps


@pytest.mark.parametrize(
    "n_tokens, epochs", [(0, 360_000), (3_600, 100), (12_000, 30), (90_000, 30)]
)
def test_passes_read_as_many_words_as_the_steps(n_tokens, epochs):
    assert epochs_for(n_tokens) == epochs
