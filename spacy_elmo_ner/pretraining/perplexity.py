"""Perplexity on text that was held out, over the full vocabulary, each direction by itself."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..elmo import BiLM
from ..errors import Errors
from .objective import SPECIAL, BatchMaker, LanguageModel, Vocabulary
from .text import TokenizedText, tokenize

SOFTMAX_FILE, VOCABULARY_FILE = "softmax.safetensors", "vocabulary.txt"


@dataclass(frozen=True)
class Perplexity:
    """Perplexities compare only over one vocabulary, so its size and what it misses come along.

    forward, backward: exp of the mean negative log-likelihood per prediction (words and one
    sentence mark). n_tokens: words measured. oov: share of them outside the vocabulary.
    """

    forward: float
    backward: float
    n_tokens: int
    n_vocabulary: int
    oov: float

    @property
    def mean(self) -> float:
        """Geometric mean of both directions: exp of their mean loss."""
        return math.sqrt(self.forward * self.backward)


def measure(
    model: LanguageModel,
    make_batch: BatchMaker,
    text: TokenizedText,
    rows: NDArray,
    vocabulary: Vocabulary,
    *,
    batch_tokens: int = 4096,
) -> Perplexity:
    """Perplexity of the sentences `rows` of a text, at least one; float32 throughout."""
    totals = np.zeros(2)
    n_predictions = n_tokens = 0
    with torch.no_grad():
        for batch_rows in _by_length(text, rows, batch_tokens):
            batch = make_batch([text.sentence(i) for i in batch_rows])
            forward, backward = model(batch)
            totals += [forward.item(), backward.item()]
            n_predictions += batch.n_predictions
            n_tokens += batch.n_predictions - len(batch_rows)
    known = np.asarray([word in vocabulary.index for word in text.words])
    tokens = np.concatenate([text.sentence(i) for i in rows])
    forward, backward = np.exp(totals / n_predictions)
    return Perplexity(
        forward=float(forward),
        backward=float(backward),
        n_tokens=n_tokens,
        n_vocabulary=len(vocabulary),
        oov=float(1 - known[tokens].mean()),
    )


def measure_files(
    model: LanguageModel, vocabulary: Vocabulary, paths: Sequence[Path], *, progress: bool = True
) -> Perplexity:
    """Perplexity of text files. Raises FileNotFoundError or ValueError as `tokenize` does."""
    text = tokenize(paths, progress=progress)
    make_batch = BatchMaker(text.words, vocabulary, model.bilm.options)
    return measure(model, make_batch, text, np.arange(text.n_sentences), vocabulary)


def load_language_model(directory: Path) -> tuple[LanguageModel, Vocabulary]:
    """A biLM with the softmax it was trained with, as `pretrain` leaves them in a folder.

    Raises FileNotFoundError naming the missing file (published biLMs come without a softmax), or
    ValueError naming the one that is damaged.
    """
    for name in (SOFTMAX_FILE, VOCABULARY_FILE):
        if not (directory / name).is_file():
            raise FileNotFoundError(Errors.EL407.format(path=directory / name))
    bilm = BiLM.from_disk(directory)
    vocabulary = _read_vocabulary(directory / VOCABULARY_FILE)
    path = directory / SOFTMAX_FILE
    try:
        tensors = load_file(path)
        cutoffs = tensors.pop("cutoffs").tolist()
        model = LanguageModel(bilm, len(vocabulary), cutoffs)
        model.softmax.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as err:
        raise ValueError(Errors.EL004.format(path=path, problem=err)) from err
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(Errors.EL007.format(path=path, name=name))
    return model.eval(), vocabulary


def _read_vocabulary(path: Path) -> Vocabulary:
    try:
        words = path.read_text(encoding="utf8").split("\n")
        if words[: len(SPECIAL)] != SPECIAL:
            raise ValueError(f"it does not begin with the lines {', '.join(SPECIAL)}")
    except ValueError as err:  # also for what is no UTF-8
        raise ValueError(Errors.EL004.format(path=path, problem=err)) from err
    return Vocabulary(words)


def _by_length(text: TokenizedText, rows: NDArray, batch_tokens: int) -> Iterator[NDArray]:
    lengths = np.diff(text.offsets)[rows]
    order = np.argsort(-lengths, kind="stable")
    ends = np.cumsum(lengths[order] + 2)
    yield from np.split(rows[order], np.flatnonzero(np.diff(ends // batch_tokens)) + 1)
