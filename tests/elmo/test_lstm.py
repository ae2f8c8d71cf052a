from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.packing import Packing, inverse

Floats = NDArray[np.float64]

SENTENCES = [["The", "cat", "sat", "."], [], ["Hi"], list("ababcde"), ["Hi", "!"]]


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _clip(x: Floats, bound: float | None) -> Floats:
    return x if bound is None else np.clip(x, -bound, bound)


def _direction(bilm: BiLM, name: str, inputs: Floats) -> list[Floats]:
    """One sentence through one direction, a step at a time: (n_tokens, dim) of each layer."""
    options, outputs, x = bilm.options.lstm, [], inputs
    for depth in range(options.n_layers):
        own = {
            key.removeprefix(f"{name}.layers.{depth}."): value.detach().double().numpy()
            for key, value in bilm.named_parameters()
            if key.startswith(f"{name}.layers.{depth}.")
        }
        h, c = np.zeros(options.projection_dim), np.zeros(options.dim)
        steps = []
        for token in x:
            gates = own["weight"] @ np.concatenate([token, h]) + own["bias"]
            i, j, f, o = np.split(gates, 4)
            c = _clip(_sigmoid(f + 1) * c + _sigmoid(i) * np.tanh(j), options.cell_clip)
            h = _sigmoid(o) * np.tanh(c)
            if "projection" in own:
                h = _clip(own["projection"] @ h, options.proj_clip)
            steps.append(h)
        y = np.stack(steps)
        x = x + y if depth and options.use_skip_connections else y
        outputs.append(x)
    return outputs


def _by_hand(bilm: BiLM, sentence: list[str]) -> Floats:
    with torch.no_grad():
        words = bilm.word_vectors(["<S>", *sentence, "</S>"]).double().numpy()
    forward = _direction(bilm, "forward_lstm", words)
    backward = [y[::-1] for y in _direction(bilm, "backward_lstm", words[::-1])]
    layers = [np.hstack([words, words])]
    layers += [np.hstack(both) for both in zip(forward, backward, strict=True)]
    return np.stack(layers)[:, 1:-1]


@pytest.mark.parametrize(
    "lstm",
    [
        {},
        {"n_layers": 1},
        {"n_layers": 3},
        {"n_layers": 3, "use_skip_connections": False},
        {"dim": 3, "projection_dim": 3},
        {"dim": 3, "projection_dim": 3, "proj_clip": 0.01},
        {"cell_clip": None, "proj_clip": None},
        {"cell_clip": 0.05, "proj_clip": 0.02},
    ],
    ids=str,
)
def test_layers_equal_a_plain_loop_over_each_sentence(
    make_bilm: Callable[..., BiLM], lstm: dict[str, Any]
) -> None:
    bilm = make_bilm(**lstm)
    for sentence, layers in zip(SENTENCES, bilm.embed(SENTENCES), strict=True):
        assert layers.dtype == np.float32
        np.testing.assert_allclose(layers, _by_hand(bilm, sentence), atol=2e-6)


def test_both_clips_are_reached_and_bound_what_they_should(make_bilm: Callable[..., BiLM]) -> None:
    clipped = make_bilm(cell_clip=0.05, proj_clip=0.02, use_skip_connections=False)
    loose = make_bilm(cell_clip=None, proj_clip=None, use_skip_connections=False)
    (layers,), (unbounded,) = clipped.embed([["cat", "sat"]]), loose.embed([["cat", "sat"]])
    assert np.abs(layers[1:]).max() <= np.float32(0.02)
    assert (np.abs(layers[1:]) == np.float32(0.02)).any()
    assert np.abs(unbounded[1:]).max() > 0.05
    _, (states, _) = clipped.run([["cat", "sat"]])
    assert max(state.c.abs().max().item() for state in states) == pytest.approx(0.05)


def test_a_skip_connection_may_exceed_the_projection_clip(make_bilm: Callable[..., BiLM]) -> None:
    (layers,) = make_bilm(proj_clip=0.02).embed([["cat", "sat", "on", "it"]])
    assert np.abs(layers[1]).max() <= np.float32(0.02)
    assert np.abs(layers[2]).max() > 0.02


def test_running_on_from_the_last_state_equals_one_long_run(tiny_bilm: BiLM) -> None:
    words = ["<S>", "a", "b", "c", "</S>", "d"]
    with torch.no_grad():
        tokens = tiny_bilm.word_vectors(words)
        whole, _ = tiny_bilm.forward_lstm(tokens, [1] * 6)
        first, states = tiny_bilm.forward_lstm(tokens[:4], [1] * 4)
        second, _ = tiny_bilm.forward_lstm(tokens[4:], [1] * 2, states)
    for depth in range(2):
        joined = torch.cat([first[depth], second[depth]])
        assert torch.allclose(joined, whole[depth], atol=1e-6)


def test_last_states_stand_in_the_order_of_the_sentences(tiny_bilm: BiLM) -> None:
    with torch.no_grad():
        _, together = tiny_bilm.run(SENTENCES)
        alone = [tiny_bilm.run([sentence])[1] for sentence in SENTENCES]
    for direction in (0, 1):
        for depth in range(2):
            for row, states in enumerate(alone):
                expected, found = states[direction][depth], together[direction][depth]
                assert torch.allclose(found.h[row], expected.h[0], atol=1e-6)
                assert torch.allclose(found.c[row], expected.c[0], atol=1e-6)


def test_packing_runs_each_sentence_from_its_own_ends() -> None:
    packing = Packing.of([2, 3, 1])  # flat tokens 01 234 5
    assert packing.order.tolist() == [1, 0, 2]
    assert packing.batch_sizes == [3, 2, 1]
    assert packing.forward.tolist() == [2, 0, 5, 3, 1, 4]
    assert packing.backward.tolist() == [4, 1, 5, 3, 0, 2]
    assert packing.forward[inverse(packing.forward)].tolist() == list(range(6))


def test_bfloat16_products_stay_close_and_give_float32_layers(tiny_bilm: BiLM) -> None:
    (expected,) = tiny_bilm.embed([["The", "cat"]])
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        (layers,), _ = tiny_bilm.run([["The", "cat"]])
    assert layers.dtype == torch.float32
    np.testing.assert_allclose(layers.numpy(), expected, atol=0.02)
