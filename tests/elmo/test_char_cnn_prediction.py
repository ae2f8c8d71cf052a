from collections.abc import Callable, Sequence

import pytest
import torch

from spacy_elmo_ner.elmo import BiLM, char_cnn_prediction
from spacy_elmo_ner.elmo.characters import words_to_ids

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


def test_the_packaged_weights_and_another_order_of_words(tiny_bilm: BiLM) -> None:
    small = BiLM.from_pretrained("small-en")
    expected, found = _both(small, WORDS)
    torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)  # values up to 30
    expected, found = _both(tiny_bilm, WORDS[::-1])
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)
