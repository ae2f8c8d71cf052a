import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.elmo.packing import token_batches


@given(st.lists(st.integers(0, 300), max_size=80), st.integers(1, 500))
def test_each_sequence_is_in_one_batch_of_about_so_many_tokens(lengths, batch_tokens):
    batches = list(token_batches(lengths, batch_tokens))
    assert sorted(i for batch in batches for i in batch) == [
        i for i, length in enumerate(lengths) if length
    ]
    for batch in batches:
        n_tokens = sum(lengths[i] for i in batch)
        assert n_tokens <= 1.5 * max(8 * batch_tokens, lengths[batch[0]])
        is_last = batch is batches[-1]
        assert is_last or n_tokens <= max(batch_tokens, lengths[batch[0]]) or len(batch) <= 64
    in_order = [lengths[i] for batch in batches for i in batch]
    assert in_order == sorted(filter(None, lengths), reverse=True)


@pytest.mark.parametrize(
    ("length", "sizes"),
    # Short sequences fill the budget; of longer ones 64 go together, or as many as fit in eight.
    # A last half of a batch goes with the one before.
    [(10, [100, 100]), (50, [64, 64, 72]), (500, [16] * 11 + [24]), (9000, [1] * 200)],
)
def test_few_long_sequences_make_a_larger_batch(length, sizes):
    batches = list(token_batches(np.full(200, length).tolist(), 1000))
    assert [len(batch) for batch in batches] == sizes
