import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.bilm import InitialState

from ..conftest import random_bilm

TEXT = [
    ["The", "council", "met", "on", "Monday", "."],
    ["Hi"],
    [],
    ["Heavy", "rain", "closed", "roads", "in", "the", "north", ",", "officials", "said", "."],
    ["She", "won", "!"],
] * 13  # 65 sentences

STATES: list[InitialState] = ["zeros", "warm"]


def _largest_difference(found: list[Any], expected: list[Any]) -> float:
    assert [layers.shape for layers in found] == [layers.shape for layers in expected]
    return max((float(np.abs(a - b).max(initial=0)) for a, b in zip(found, expected, strict=True)))


def test_a_sentence_gives_one_vector_per_word_and_layer(tiny_bilm: BiLM) -> None:
    one, empty = tiny_bilm.embed([["The", "cat"], []])
    assert one.shape == (3, 2, 4) and one.dtype == np.float32
    assert empty.shape == (3, 0, 4) and empty.dtype == np.float32
    assert np.array_equal(one[0, :, :2], one[0, :, 2:])


def test_no_sentences_give_no_layers(tiny_bilm: BiLM) -> None:
    assert tiny_bilm.embed([]) == []
    assert tiny_bilm.run([]) == ([], ([], []))
    assert [layers.shape for layers in tiny_bilm.embed([[], []])] == [(3, 0, 4)] * 2


def test_layers_come_longest_sentence_first_in_memory_that_is_used_again(tiny_bilm: BiLM) -> None:
    expected = tiny_bilm.embed(TEXT)
    indices, places = [], set()
    for i, layers in tiny_bilm.iter_layers(TEXT, batch_tokens=10):
        assert _largest_difference([layers], [expected[i]]) <= 1e-5
        indices.append(i)
        places.add(layers.ctypes.data)
    assert sorted(indices) == [i for i, sentence in enumerate(TEXT) if sentence]
    assert [len(TEXT[i]) for i in indices] == sorted((len(TEXT[i]) for i in indices), reverse=True)
    assert len(places) < len(indices)


@pytest.mark.parametrize("initial_state", STATES)
def test_a_sentence_embeds_identically_whatever_was_embedded_before(
    tiny_bilm: BiLM, initial_state: InitialState
) -> None:
    first = tiny_bilm.embed(TEXT[:1], initial_state=initial_state)
    tiny_bilm.embed(TEXT[1:], initial_state=initial_state)
    again = tiny_bilm.embed(TEXT[:1], initial_state=initial_state)
    assert np.array_equal(first[0], again[0])


@pytest.mark.parametrize("initial_state", STATES)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_sentence_embeds_the_same_in_any_batch(
    tiny_bilm: BiLM, size: int, initial_state: InitialState
) -> None:
    expected = tiny_bilm.embed(TEXT, initial_state=initial_state)
    found = []
    for start in range(0, len(TEXT), size):
        found += tiny_bilm.embed(TEXT[start : start + size], initial_state=initial_state)
    assert _largest_difference(found, expected) <= 1e-5


SENTENCE = st.lists(st.text(max_size=6) | st.sampled_from(["the", "cat", "<S>"]), max_size=9)
BILM = random_bilm(seed=1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(SENTENCE, min_size=1, max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from([1, 10, 4096]),
    st.sampled_from(STATES),
)
def test_neighbours_order_and_batch_size_change_nothing(
    sentences: list[list[str]], rng: random.Random, batch_tokens: int, initial_state: InitialState
) -> None:
    alone = [BILM.embed([sentence], initial_state=initial_state)[0] for sentence in sentences]
    order = rng.sample(range(len(sentences)), len(sentences))
    together = BILM.embed(
        [sentences[i] for i in order], initial_state=initial_state, batch_tokens=batch_tokens
    )
    assert _largest_difference(together, [alone[i] for i in order]) <= 1e-5


def test_layers_with_gradients_equal_embed(tiny_bilm: BiLM) -> None:
    for initial_state in STATES:
        tensors, _ = tiny_bilm.run(TEXT[:5], tiny_bilm.initial_states(initial_state))
        assert all(layers.requires_grad for layers in tensors)
        found = [layers.detach().numpy() for layers in tensors]
        expected = tiny_bilm.embed(TEXT[:5], initial_state=initial_state)
        assert _largest_difference(found, expected) <= 1e-6


def test_an_array_does_not_keep_its_whole_batch_in_memory(tiny_bilm: BiLM) -> None:
    layers = tiny_bilm.embed(TEXT)[0]
    assert layers.base is None and layers.flags.c_contiguous and layers.flags.writeable


def test_a_sentence_given_as_text_is_refused(tiny_bilm: BiLM) -> None:
    for sentences in (["The cat"], "The cat", [["a"], "b c"]):
        with pytest.raises(TypeError, match="EL012"):
            tiny_bilm.embed(sentences)


def test_a_word_that_is_no_text_is_refused(tiny_bilm: BiLM) -> None:
    with pytest.raises(TypeError, match=r"EL015.*None.*NoneType"):
        tiny_bilm.embed([["a", None]])  # type: ignore[list-item]


def test_an_unknown_initial_state_is_refused_even_without_sentences(tiny_bilm: BiLM) -> None:
    with pytest.raises(ValueError, match=r"EL013.*'cold'"):
        tiny_bilm.embed([], initial_state="cold")  # type: ignore[arg-type]


def test_warm_starts_elsewhere_than_zeros_and_is_computed_once(tiny_bilm: BiLM) -> None:
    zeros, warm = (tiny_bilm.embed(TEXT[:1], initial_state=state)[0] for state in STATES)
    assert np.array_equal(zeros[0], warm[0])
    assert np.abs(zeros[1:] - warm[1:]).max() > 1e-3
    assert tiny_bilm.initial_states("zeros") is None
    assert tiny_bilm.initial_states("warm") is tiny_bilm.initial_states("warm")


def test_warm_is_the_same_for_a_copy_and_after_saving(tiny_bilm: BiLM, tmp_path: Path) -> None:
    (expected,) = tiny_bilm.embed(TEXT[:1], initial_state="warm")
    tiny_bilm.to_disk(tmp_path)
    for other in (copy.deepcopy(tiny_bilm), BiLM.from_disk(tmp_path)):
        assert np.array_equal(other.embed(TEXT[:1], initial_state="warm")[0], expected)


def test_warm_follows_the_weights_once_the_old_state_is_forgotten(
    make_bilm: Callable[..., BiLM],
) -> None:
    bilm, other = make_bilm(), make_bilm(seed=5)
    bilm.embed(TEXT[:1], initial_state="warm")
    bilm.load_state_dict(other.state_dict())
    bilm.forget_warm_states()
    found = bilm.embed(TEXT[:1], initial_state="warm")
    assert np.array_equal(found[0], other.embed(TEXT[:1], initial_state="warm")[0])


def test_progress_counts_the_sentences(tiny_bilm: BiLM, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_bilm.embed(TEXT[:2], progress=True)
    assert "2/2" in capsys.readouterr().err


def test_gradients_reach_every_parameter(tiny_bilm: BiLM) -> None:
    torch.stack([layers.square().sum() for layers in tiny_bilm.run(TEXT[:2])[0]]).sum().backward()
    for name, parameter in tiny_bilm.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
