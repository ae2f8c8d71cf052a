import copy

import numpy as np
import pytest
import torch

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.caches import Derived
from spacy_elmo_ner.elmo.lstm_compiled import Places
from spacy_elmo_ner.elmo.lstm_prediction import FastLSTM
from spacy_elmo_ner.elmo.lstm_training import LSTMWeights, packed_lstm
from spacy_elmo_ner.elmo.packing import Packing
from spacy_elmo_ner.elmo.products import FastLinear

PACKING = Packing.of([3, 1, 7, 7, 2])


def _weights(projected: bool) -> LSTMWeights:
    torch.manual_seed(0)
    n_out = 4 if projected else 6
    weights = LSTMWeights(torch.randn(24, 5), torch.randn(24, n_out), torch.randn(24))
    return weights._replace(projection=torch.randn(4, 6)) if projected else weights


@pytest.mark.parametrize("bounds", [(None, None), (0.4, 0.3)], ids=str)
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("from_zeros", [True, False])
@pytest.mark.usefixtures("cell")
def test_prediction_gives_what_training_gives(
    bounds: tuple[float | None, float | None], projected: bool, from_zeros: bool
) -> None:
    weights = _weights(projected)
    clips = {"cell_clip": bounds[0], "proj_clip": bounds[1] if projected else None}
    x = torch.randn(20, 5)
    h, c = torch.randn(5, weights.recurrent.shape[1]), torch.randn(5, 6)
    state = None if from_zeros else (h, c)
    expected, last_cells = packed_lstm(x, PACKING.batch_sizes, weights, state=state, **clips)
    found, last = FastLSTM(weights, **clips)(x, PACKING.batch_sizes, state)
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)
    torch.testing.assert_close(last, last_cells, atol=2e-6, rtol=0)


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.usefixtures("cell")
def test_tokens_are_read_and_written_where_they_stand(projected: bool) -> None:
    lstm, positions, x = FastLSTM(_weights(projected)), PACKING.backward, torch.randn(20, 5)
    expected, expected_last = lstm(x[positions], PACKING.batch_sizes)
    both = torch.full((20, 2 * lstm.n_out), 7.0)
    half = both[:, lstm.n_out :]
    found, last = lstm(x, PACKING.batch_sizes, places=Places(positions, half, positions))
    assert found is half and torch.equal(half[positions], expected)
    assert torch.equal(last, expected_last)
    assert (both[:, : lstm.n_out] == 7).all()
    elsewhere = torch.cat([torch.full((9, 5), 7.0), x])  # other rows of more inputs
    found, _ = lstm(elsewhere, PACKING.batch_sizes, places=Places(positions + 9, None, positions))
    assert found.shape == (20, lstm.n_out) and torch.equal(found[positions], expected)
    lstm(x[positions], PACKING.batch_sizes, places=Places(outputs=half))
    assert torch.equal(half, expected) and (both[:, : lstm.n_out] == 7).all()


@pytest.mark.usefixtures("cell")
def test_a_state_that_is_given_is_left_as_it_was() -> None:
    h, c = torch.randn(5, 4), torch.randn(5, 6)
    before = h.clone(), c.clone()
    FastLSTM(_weights(True))(torch.randn(20, 5), PACKING.batch_sizes, (h, c))
    assert torch.equal(h, before[0]) and torch.equal(c, before[1])


@pytest.mark.parametrize("with_bias", [True, False])
def test_the_product_is_that_of_torch_with_and_without_onednn(
    monkeypatch: pytest.MonkeyPatch, with_bias: bool
) -> None:
    weight, x = torch.randn(48, 20), torch.randn(7, 20)
    bias = torch.randn(48) if with_bias else None
    expected = torch.nn.functional.linear(x, weight, bias)
    torch.testing.assert_close(FastLinear(weight, bias)(x), expected, atol=1e-5, rtol=1e-5)
    monkeypatch.setattr("spacy_elmo_ner.elmo.products._PRODUCT", None)
    assert torch.equal(FastLinear(weight, bias)(x), expected)


def test_what_is_derived_is_made_again_after_each_kind_of_change() -> None:
    layer = torch.nn.Linear(2, 2)
    derived: Derived[float] = Derived()

    def current() -> float:
        return derived.get(list(layer.parameters()), lambda: layer.weight.sum().item())

    first = current()
    assert current() == first
    with torch.no_grad():
        layer.weight.add_(1)
    assert current() == pytest.approx(first + 4, abs=1e-5)
    layer.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.zeros(2)})
    assert current() == 4
    layer.weight = torch.nn.Parameter(torch.full((2, 2), 3.0))
    assert current() == 12


@pytest.mark.parametrize("fused", [False, True])
def test_prediction_follows_training_with_any_optimizer(tiny_bilm: BiLM, fused: bool) -> None:
    optimizer = torch.optim.AdamW(tiny_bilm.parameters(), lr=0.1, fused=fused)
    for _ in range(2):
        (layers,), _ = tiny_bilm.run([["The", "cat"]])
        layers.square().sum().backward()
        optimizer.step()
        (found,) = tiny_bilm.embed([["The", "cat"]])
        fresh = copy.deepcopy(tiny_bilm)
        np.testing.assert_allclose(found, fresh.embed([["The", "cat"]])[0], atol=1e-6)


def test_a_copy_derives_from_its_own_parameters() -> None:
    derived: Derived[int] = Derived()
    weight = torch.ones(1)
    assert derived.get([weight], lambda: 1) == 1
    assert copy.deepcopy(derived).get([weight], lambda: 2) == 2
