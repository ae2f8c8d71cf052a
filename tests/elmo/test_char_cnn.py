import random
from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from spacy_elmo_ner.elmo import BiLM, char_cnn
from spacy_elmo_ner.elmo.characters import words_to_ids
from spacy_elmo_ner.elmo.options import N_CHARACTERS, CharCNNOptions

WORDS = ["", "a", "cat", "Hi", "x" * 60, "naïve", "<S>", "42", "y" * 43, "z" * 46, "."]


def _vectors(bilm: BiLM, words: list[str]) -> Tensor:
    with torch.no_grad():
        return bilm.word_vectors(words)


def _by_hand(bilm: BiLM, words: list[str]) -> Tensor:
    """The formulas of Kim et al. (2016) in float64 over all slots: every window, no trimming."""
    cnn, options = bilm.char_cnn, bilm.options.char_cnn
    char_ids, _ = words_to_ids(words, options.max_characters_per_token)
    table = cnn.embedding.weight.double()
    rows = []
    for ids in char_ids.tolist():
        x = torch.stack([table[i] for i in ids])  # (slots, char_dim)
        pooled = []
        for convolution in cast(list[nn.Conv1d], cnn.convolutions):
            kernel = convolution.weight.double()
            width = kernel.shape[2]
            windows = [
                (kernel * x[start : start + width].T).sum(dim=(1, 2))
                for start in range(len(x) - width + 1)
            ]
            best = torch.stack(windows).max(dim=0).values
            pooled.append(best + cast(Tensor, convolution.bias).double())
        y = torch.cat(pooled)
        y = torch.relu(y) if options.activation == "relu" else torch.tanh(y)
        for highway in cast(list[char_cnn.Highway], cnn.highways):
            gate = torch.sigmoid(_linear(highway.carry, y))
            y = gate * torch.relu(_linear(highway.transform, y)) + (1 - gate) * y
        rows.append(_linear(cnn.projection, y))
    return torch.stack(rows).float()


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return layer.weight.double() @ x + layer.bias.double()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("n_highway", [0, 2])
def test_trimmed_blocks_equal_the_formula_over_all_slots(
    make_bilm: Callable[..., BiLM], activation: str, n_highway: int
) -> None:
    cnn = CharCNNOptions(3, ((1, 4), (3, 3), (7, 2)), n_highway, activation=activation)
    bilm = make_bilm(cnn=cnn)
    assert torch.allclose(_vectors(bilm, WORDS), _by_hand(bilm, WORDS), atol=1e-6)


def test_a_word_has_the_same_vector_beside_any_other_words(tiny_bilm: BiLM) -> None:
    together = _vectors(tiny_bilm, WORDS)
    alone = torch.cat([_vectors(tiny_bilm, [word]) for word in WORDS])
    assert torch.allclose(together, alone, atol=1e-6)
    shuffled = random.Random(0).sample(range(len(WORDS)), len(WORDS))
    moved = _vectors(tiny_bilm, [WORDS[i] for i in shuffled])
    assert torch.allclose(moved, together[shuffled], atol=1e-6)


def test_characters_start_as_torch_starts_an_embedding(tiny_bilm: BiLM) -> None:
    torch.manual_seed(0)
    width = tiny_bilm.options.char_cnn.embedding_dim
    expected = nn.Embedding(N_CHARACTERS + 1, width, padding_idx=0).weight
    torch.manual_seed(0)
    found = char_cnn.CharCNN(tiny_bilm.options).embedding
    assert torch.equal(found.weight, expected)
    assert found.weight.requires_grad and found.padding_idx == 0


def test_no_word_reads_the_row_of_no_character(tiny_bilm: BiLM) -> None:
    expected = _vectors(tiny_bilm, WORDS)
    with torch.no_grad():
        tiny_bilm.char_cnn.embedding.weight[0] = float("nan")
    assert torch.equal(_vectors(tiny_bilm, WORDS), expected)


def test_padding_inside_a_word_counts(tiny_bilm: BiLM) -> None:
    before = _vectors(tiny_bilm, ["cat"])
    with torch.no_grad():
        tiny_bilm.char_cnn.embedding.weight[261] += 1
    assert not torch.allclose(_vectors(tiny_bilm, ["cat"]), before)


def test_no_words_give_no_vectors(tiny_bilm: BiLM) -> None:
    assert _vectors(tiny_bilm, []).shape == (0, 2)


def test_gradients_reach_every_parameter_but_the_unused_row(tiny_bilm: BiLM) -> None:
    tiny_bilm.word_vectors(["cat", "Hi"]).square().sum().backward()
    for name, parameter in tiny_bilm.char_cnn.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    gradient = tiny_bilm.char_cnn.embedding.weight.grad
    assert gradient is not None and gradient[0].eq(0).all()
