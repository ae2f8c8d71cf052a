from typing import cast

import pytest
import torch
from torch import Tensor, nn

from spacy_elmo_ner.elmo import char_cnn_training as module
from spacy_elmo_ner.elmo.char_cnn_training import pooled_convolutions
from spacy_elmo_ner.elmo.characters import words_to_ids

# Up to 50 slots with their two marks; the last ones leave the widest filter no slot to spare.
WORDS = ["", "a", "Hi", "cat", "naïve", "x" * 43, "y" * 46, "z" * 60]
SIZES = ((1, 4), (3, 3), (7, 5))  # width, number of filters


def _cnn() -> tuple[nn.Embedding, list[nn.Conv1d]]:
    torch.manual_seed(0)
    return nn.Embedding(262, 3), [nn.Conv1d(3, n, width) for width, n in SIZES]


def _plain(char_ids: Tensor, embedding: nn.Embedding, convolutions: list[nn.Conv1d]) -> Tensor:
    """The same over all slots, for torch to differentiate."""
    x = embedding(char_ids).transpose(1, 2)
    return torch.cat([convolution(x).amax(dim=2) for convolution in convolutions], dim=1)


def _gradients(
    pooled: Tensor, embedding: nn.Embedding, convolutions: list[nn.Conv1d]
) -> list[Tensor]:
    parameters = [embedding.weight, *(p for each in convolutions for p in each.parameters())]
    direction = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(1))
    return list(torch.autograd.grad((pooled * direction).sum(), parameters))


@pytest.mark.parametrize("values", [1, 60, 1 << 20], ids="{} values a block".format)
def test_values_and_gradients_equal_automatic_differentiation(
    monkeypatch: pytest.MonkeyPatch, values: int
) -> None:
    monkeypatch.setattr(module, "_VALUES_PER_BLOCK", values)
    char_ids, lengths = words_to_ids(WORDS, 50)
    ids, n_characters = torch.as_tensor(char_ids).long(), torch.as_tensor(lengths)
    cnn = _cnn()
    expected = _plain(ids, *cnn)
    found = pooled_convolutions(ids, n_characters, *cnn, torch.float32)
    torch.testing.assert_close(found, expected)
    for got, wanted in zip(_gradients(found, *cnn), _gradients(expected, *cnn), strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def test_bfloat16_gradients_point_the_same_way() -> None:
    char_ids, lengths = words_to_ids(WORDS, 50)
    ids, n_characters = torch.as_tensor(char_ids).long(), torch.as_tensor(lengths)
    cnn = _cnn()
    exact, rough = (
        _gradients(pooled_convolutions(ids, n_characters, *cnn, dtype).float(), *cnn)
        for dtype in (torch.float32, torch.bfloat16)
    )
    for a, b in zip(exact, rough, strict=True):
        assert torch.cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.99


def test_equal_values_share_one_gradient() -> None:
    embedding, (convolution, *_) = _cnn()
    char_ids, lengths = words_to_ids(["aaaa"], 50)
    ids, n_characters = torch.as_tensor(char_ids).long(), torch.as_tensor(lengths)
    pooled = pooled_convolutions(ids, n_characters, embedding, [convolution], torch.float32)
    pooled.sum().backward()
    # One place for each filter, however many hold its largest value.
    assert torch.equal(cast(Tensor, cast(Tensor, convolution.bias).grad), torch.ones(4))
