"""What the parity is measured on: random weights, sentences of all lengths, odd words."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from spacy_elmo_ner.cli.assets import find_gmb
from spacy_elmo_ner.corpus.gmb import read_gmb
from spacy_elmo_ner.corpus.sample import read_sample
from spacy_elmo_ner.elmo import BiLM, BiLMOptions

SPELLING = [
    [""],
    ["", "a", ""],
    ["abcdefghij" * 6, "abcdefghij" * 5, "abcdefghijkl" * 4],  # 60, 50 and exactly 48 bytes
    ["x" + "é" * 30, "漢字" * 12, "y" + "😀" * 15, "zz" + "€" * 20],  # cut inside a character
    ["lone\ud800surrogate", "\udfff", "end"],
    ["<S>", "</S>", "<s>", "<S>x"],
    ["</S>", "in", "<S>", "between", "</S>", "and", "<S>"],
    ["two words", "tab\there", "line\nbreak", "nul\x00byte", "\u00a0", " "],
]


def random_bilm(
    options: BiLMOptions,
    sentences: Sequence[Sequence[str]],
    *,
    lstm_gain: float = 1.0,
    projection_gain: float = 2.0,
    seed: int = 0,
) -> BiLM:
    """A biLM of random weights whose activations are of the order of 1 in every layer.

    Every matrix is normal with standard deviation gain / sqrt(inputs), so that no layer's
    activations vanish or grow; biases are normal with 0.1 around their fresh values. The
    character projection is then scaled so that the words of the sentences have standard
    deviation 1. With the default gains the LSTM layers come out at 0.6 and 0.9, with a few cells
    in a hundred at the clip.
    """
    torch.manual_seed(seed)
    bilm = BiLM(options).eval()
    with torch.no_grad():
        for name, parameter in bilm.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            elif name == "char_cnn.embedding.weight":
                parameter.normal_()[0] = 0.0
            else:
                gain = 1.0
                if "_lstm.layers." in name:
                    gain = projection_gain if name.endswith("projection") else lstm_gain
                parameter.normal_(std=gain * parameter[0].numel() ** -0.5)
        words = sorted({word for sentence in sentences for word in sentence})
        bilm.char_cnn.projection.weight /= bilm.word_vectors(words).std()
    return bilm


def corpus_sentences(n: int, *, seed: int = 0) -> tuple[str, list[list[str]]]:
    """The corpus's name and n of its sentences, shuffled.

    Lengths spread over all there are, the shortest and the longest included. From
    ner_dataset.csv where `spacy elmo corpus` would find it, else from the sample corpus.
    """
    path = find_gmb()
    if path is not None:
        name, pool = "ner_dataset.csv", [list(each.words) for each in read_gmb(path)]
    else:
        split = read_sample(Path("assets/sample"))
        name = "sample corpus"
        pool = [list(each.words) for each in (*split.train, *split.dev, *split.test)]
    return name, spread_lengths(pool, n, seed=seed)


def spread_lengths(pool: list[list[str]], n: int, *, seed: int = 0) -> list[list[str]]:
    """n sentences of the pool: one of each length (evenly spaced, if n is less), then any."""
    rng = random.Random(seed)
    rng.shuffle(pool)
    of_length = {len(sentence): i for i, sentence in enumerate(pool)}
    lengths = sorted(of_length)
    spaced = np.linspace(0, len(lengths) - 1, min(n, len(lengths))).round().astype(int)
    chosen = [of_length[lengths[i]] for i in spaced]
    others = sorted(set(range(len(pool))) - set(chosen))
    chosen += rng.sample(others, min(n - len(chosen), len(others)))
    rng.shuffle(chosen)
    return [pool[i] for i in chosen]
