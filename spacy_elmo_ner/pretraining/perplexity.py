"""Measure perplexity on held-out text over the full vocabulary, in each direction."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..corpus.language import ENGLISH, TextLanguage
from ..elmo import BiLM
from ..elmo.packing import BATCH_TOKENS
from ..errors import Errors
from ..files import atomic_file
from .log import named_if_not_written
from .objective import SPECIAL, BatchMaker, LanguageModel, Vocabulary
from .text import TokenizedText, batches_by_length, split_held_out, tokenize
from .text_counts import read_n_held_out

SOFTMAX_FILE, VOCABULARY_FILE = "softmax.safetensors", "vocabulary.txt"


@dataclass(frozen=True)
class Perplexity:
    """Holds perplexities; they can only be compared over the same vocabulary.

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
        """Return the geometric mean of both directions: exp of their mean loss."""
        return math.sqrt(self.forward * self.backward)


# Of a whole text, and of each source in it that holds a word.
BySource = tuple[Perplexity, dict[str, Perplexity]]


class _Sums(NamedTuple):
    forward: float
    backward: float
    n_predictions: int
    n_tokens: int
    n_unknown: int


def measure(
    model: LanguageModel,
    make_batch: BatchMaker,
    text: TokenizedText,
    rows: NDArray,
    vocabulary: Vocabulary,
    *,
    batch_tokens: int = BATCH_TOKENS,
) -> Perplexity:
    """Measure the perplexity of the sentences `rows` of a text, at least one, in float32.

    Each sentence starts from states of zeros, as in a pipeline.
    """
    unknown = vocabulary.lacks(text.words)
    return _perplexity(_sums(model, make_batch, text, rows, unknown, batch_tokens), vocabulary)


def measure_files(
    model: LanguageModel,
    vocabulary: Vocabulary,
    paths: Iterable[Path],
    language: TextLanguage = ENGLISH,
    *,
    progress: bool = True,
) -> BySource:
    """Measure text files together, and each that holds a word by its path.

    language: what cut the text that the biLM was trained on.
    Raises FileNotFoundError or ValueError as `tokenize` does.
    """
    paths = list(paths)
    text = tokenize(paths, language, progress=progress)
    return _by_source(model, vocabulary, text, np.arange(text.n_sentences), list(map(str, paths)))


def measure_held_out(model: LanguageModel, vocabulary: Vocabulary, directory: Path) -> BySource:
    """Measure what the run in this folder held out, together and by source.

    A source that was read several times is measured once. Raises FileNotFoundError or ValueError
    where the folder has no text left, ValueError where nothing was held out.
    """
    n_held_out = read_n_held_out(directory)
    text = TokenizedText.from_disk(directory / "text")
    _, rows = split_held_out(text, n_held_out)
    if not len(rows):
        raise ValueError(Errors.EL424.format(path=directory))
    by_content: dict[tuple[str, bytes], NDArray] = {}
    for number, name in enumerate(text.sources):
        part = rows[text.source[rows] == number]
        content = np.concatenate([text.sentence(i) for i in part] or [text.tokens[:0]]).tobytes()
        by_content.setdefault((name, content), part)
    once = np.concatenate(list(by_content.values()))
    return _by_source(model, vocabulary, text, once, text.sources)


def _by_source(
    model: LanguageModel,
    vocabulary: Vocabulary,
    text: TokenizedText,
    rows: NDArray,
    names: Sequence[str],
) -> BySource:
    make_batch = BatchMaker(text.words, vocabulary, model.bilm.options)
    unknown = vocabulary.lacks(text.words)
    sums: dict[str, list[_Sums]] = {}
    for number, name in enumerate(names):
        part = rows[text.source[rows] == number]
        if len(part):
            sums.setdefault(name, []).append(_sums(model, make_batch, text, part, unknown))
    whole = [part_sums for parts in sums.values() for part_sums in parts]
    by_source = {name: _perplexity(_added(parts), vocabulary) for name, parts in sums.items()}
    return _perplexity(_added(whole), vocabulary), by_source


def _sums(
    model: LanguageModel,
    make_batch: BatchMaker,
    text: TokenizedText,
    rows: NDArray,
    unknown: NDArray,
    batch_tokens: int = BATCH_TOKENS,
) -> _Sums:
    """Sum up losses; unknown: (n_words of the text,) bool, words outside the vocabulary."""
    totals = np.zeros(2)
    n_predictions = n_tokens = 0
    with torch.no_grad():
        for batch_rows in batches_by_length(text, rows, batch_tokens):
            batch = make_batch([text.sentence(i) for i in batch_rows])
            forward, backward, *_ = model(batch)
            totals += [forward.item(), backward.item()]
            n_predictions += batch.n_predictions
            n_tokens += batch.n_predictions - len(batch_rows)
    tokens = np.concatenate([text.sentence(i) for i in rows])
    forward, backward = totals.tolist()
    return _Sums(forward, backward, n_predictions, n_tokens, int(unknown[tokens].sum()))


def _added(parts: Sequence[_Sums]) -> _Sums:
    return _Sums(*map(sum, zip(*parts, strict=True)))


def _perplexity(sums: _Sums, vocabulary: Vocabulary) -> Perplexity:
    forward, backward = np.exp(np.array([sums.forward, sums.backward]) / sums.n_predictions)
    return Perplexity(
        forward=float(forward),
        backward=float(backward),
        n_tokens=sums.n_tokens,
        n_vocabulary=len(vocabulary),
        oov=sums.n_unknown / sums.n_tokens,
    )


def write_language_model(model: LanguageModel, vocabulary: Vocabulary, output: Path) -> None:
    """Write the biLM as `BiLM.from_disk` reads it, with its softmax and vocabulary."""
    softmax = {name: value.contiguous() for name, value in model.softmax.state_dict().items()}
    softmax["cutoffs"] = torch.tensor(model.softmax.cutoffs[:-1])
    with named_if_not_written(output):
        output.mkdir(parents=True, exist_ok=True)
        with atomic_file(output / SOFTMAX_FILE) as path:
            path.write_bytes(save(softmax))
        with atomic_file(output / VOCABULARY_FILE) as path:
            path.write_text("\n".join(vocabulary.words), encoding="utf8")
        model.bilm.to_disk(output)


def load_language_model(directory: Path) -> tuple[LanguageModel, Vocabulary]:
    """Load a biLM with the softmax it was trained with from a folder that `pretrain` wrote.

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
