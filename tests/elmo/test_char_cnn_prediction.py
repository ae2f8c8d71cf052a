from collections.abc import Callable, Sequence

import pytest
import torch

from spacy_elmo_ner.elmo import BiLM, char_cnn_prediction, kernels
from spacy_elmo_ner.elmo.char_cnn_compiled import Tables
from spacy_elmo_ner.elmo.characters import words_to_ids
from spacy_elmo_ner.elmo.options import N_CHARACTERS

WORDS = [
    "",
    "a",
    "of",
    "the",
    "Paris",
    "x" * 60,
    "na\u00efve",
    "\U0001f600",
    "internationalization",
]


def _both(bilm: BiLM, words: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors as training computes them, and as prediction does."""
    options = bilm.options.char_cnn
    char_ids, lengths = map(torch.from_numpy, words_to_ids(words, options.max_characters_per_token))
    trained = bilm.char_cnn(char_ids, lengths).detach()
    with torch.no_grad():
        return trained, bilm.char_cnn(char_ids, lengths)


@pytest.mark.parametrize("values", [1, 200, 1 << 20])
def test_prediction_gives_what_training_gives_whatever_the_blocks(
    make_bilm: Callable[..., BiLM], monkeypatch: pytest.MonkeyPatch, values: int
) -> None:
    monkeypatch.setattr(char_cnn_prediction, "_VALUES_PER_BLOCK", values)
    expected, found = _both(make_bilm(), WORDS)
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)


@pytest.mark.skipif(kernels.library() is None, reason="The kernels were not built.")
@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_each_kind_of_cpu_pools_what_torch_does(
    monkeypatch: pytest.MonkeyPatch, kind: int, n_threads: int
) -> None:
    """Blocks of one to four vectors and what is left of them; NaN counts as the largest."""
    if kind > kernels.kind_of_cpu():
        pytest.skip("This CPU is older.")
    monkeypatch.setattr("spacy_elmo_ner.elmo.char_cnn_compiled.kind_of_cpu", lambda: kind)
    monkeypatch.setattr("spacy_elmo_ner.elmo.char_cnn_compiled.threads", lambda: n_threads)
    torch.manual_seed(0)
    embedding = torch.nn.Embedding(N_CHARACTERS + 1, 5)
    convolutions = [torch.nn.Conv1d(5, 16 * n, n) for n in range(1, 8)]
    char_ids, lengths = map(torch.from_numpy, words_to_ids(WORDS, 50))
    with torch.no_grad():
        convolutions[2].weight[3] = float("nan")
        x = embedding(char_ids).transpose(1, 2)
        expected = torch.cat([convolution(x).amax(dim=2) for convolution in convolutions], dim=1)
    found = Tables.for_prediction(embedding, convolutions).pooled(char_ids, lengths)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0, equal_nan=True)
    assert found.isnan().sum() == len(WORDS)


def test_the_packaged_weights_and_another_order_of_words(tiny_bilm: BiLM) -> None:
    small = BiLM.from_pretrained("small-en")
    expected, found = _both(small, WORDS)
    torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)  # values up to 30
    expected, found = _both(tiny_bilm, WORDS[::-1])
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)
