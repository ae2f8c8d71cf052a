"""Turn raw text into word ids on disk once; then cut it into shuffled batches for each epoch."""

import hashlib
import json
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tokenize import TokenError
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..corpus.language import ENGLISH, TextLanguage
from ..errors import Errors, Warnings, shown
from ..files import atomic_file
from .files import read_sentences
from .text_checks import unsegmented

# Longer lines are cut here: the gradient of an LSTM reaches no further anyway.
MAX_SENTENCE = 128
# Batches are cut from pools of this many sentences sorted by length, so that the sentences of
# a batch are about equally long and few steps run on part of the batch only.
_POOL = 16384
_DTYPES = {"counts": "int64", "tokens": "int32", "offsets": "int64", "source": "int32"}


@dataclass(frozen=True)
class TokenizedText:
    """Hold sentences as ids into a list of distinct words.

    words: distinct words, most frequent first. counts (n_words,) int64.
    tokens (n_tokens,) int32; offsets (n_sentences + 1,) int64: where each sentence starts.
    source (n_sentences,) int32: index into sources, the names of the files.
    """

    words: list[str]
    counts: NDArray[np.int64]
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    source: NDArray[np.int32]
    sources: list[str]

    @property
    def n_sentences(self) -> int:
        """Return the number of sentences."""
        return len(self.offsets) - 1

    def sentence(self, i: int) -> NDArray[np.int32]:
        """Return the word ids of one sentence."""
        return self.tokens[self.offsets[i] : self.offsets[i + 1]]

    def sha256(self) -> str:
        """Return a sha256 over the sentences, by which the same text is known again."""
        digest = hashlib.sha256("\n".join(self.words).encode("utf8", "surrogatepass"))
        digest.update(np.ascontiguousarray(self.offsets).data)
        digest.update(np.ascontiguousarray(self.tokens).data)
        return digest.hexdigest()

    def to_disk(self, directory: Path) -> None:
        """Write the arrays as .npy files and the words as JSON, each file whole or not at all."""
        directory.mkdir(parents=True, exist_ok=True)
        for name in _DTYPES:
            with atomic_file(directory / f"{name}.npy") as path, path.open("wb") as file:
                # numpy writes past Python where it knows the file, and misses that a disk is full.
                unknown: Any = SimpleNamespace(write=file.write)
                np.save(unknown, getattr(self, name), allow_pickle=False)
        with atomic_file(directory / "words.json") as path:
            data = {"words": self.words, "sources": self.sources}
            path.write_text(json.dumps(data), encoding="utf8")

    @classmethod
    def from_disk(cls, directory: Path) -> "TokenizedText":
        """Read what `to_disk` wrote, arrays mapped. Raises ValueError if a file is damaged."""
        try:
            arrays = {
                name: np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in _DTYPES
            }
            data = json.loads((directory / "words.json").read_text(encoding="utf8"))
            text = cls(words=data["words"], sources=data["sources"], **arrays)
            text._check()
        # A header that is none of numpy's is read as a Python literal and fails like one.
        except (
            OSError,
            EOFError,
            ValueError,
            LookupError,
            TypeError,
            SyntaxError,
            TokenError,
            OverflowError,
            RecursionError,
        ) as err:
            raise ValueError(Errors.EL412.format(path=directory, problem=err)) from err
        return text

    def _check(self) -> None:
        """Raise ValueError unless the parts belong together; reads every array once."""
        for name, dtype in _DTYPES.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != dtype:
                raise ValueError(f"{name}.npy holds no list of {dtype} numbers")
        for name in ("words", "sources"):
            listed = getattr(self, name)
            if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
                raise ValueError(f'"{name}" in words.json is no list of texts')
        if len(self.counts) != len(self.words) or len(self.source) != self.n_sentences:
            raise ValueError("its files are of different lengths")
        if (
            not self.n_sentences
            or self.offsets[0] != 0
            or self.offsets[-1] != len(self.tokens)
            or (self.offsets[1:] <= self.offsets[:-1]).any()
            or (self.source[1:] < self.source[:-1]).any()
        ):
            raise ValueError("its sentences do not follow one another")
        for name, length in (("tokens", len(self.words)), ("source", len(self.sources))):
            array = getattr(self, name)
            if array.min() < 0 or array.max() >= length:
                raise ValueError(f"{name}.npy points beyond the end of words.json")


def tokenize(
    paths: Iterable[Path], language: TextLanguage = ENGLISH, *, progress: bool = True
) -> TokenizedText:
    """Read files as `read_sentences` does and number their words; files in order.

    Warns of files that are not plain text (WL403), or not cut into words (WL404). Raises
    FileNotFoundError, or ValueError naming file and line for what cannot be read, a line of more
    than a million characters, or files without any word; or for the language (EL657).
    """
    paths = list(paths)
    nlp = language.blank()
    index: dict[str, int] = {}
    tokens: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    source: list[int] = []
    with tqdm(desc="Tokenize", unit=" sentences", disable=not progress) as bar:
        for number, path in enumerate(paths):
            for words in read_sentences(path, nlp):
                for start in range(0, len(words), MAX_SENTENCE):
                    part = words[start : start + MAX_SENTENCE]
                    ids = [index.setdefault(word, len(index)) for word in part]
                    tokens.append(np.asarray(ids, dtype=np.int32))
                    lengths.append(len(ids))
                    source.append(number)
                bar.update()
    if not lengths:
        raise ValueError(Errors.EL402.format(paths=", ".join(map(str, paths)) or "none"))
    flat = np.concatenate(tokens)
    counts = np.bincount(flat, minlength=len(index))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    words_in_order = np.asarray(list(index), dtype=object)[order].tolist()
    text = TokenizedText(
        words=words_in_order,
        counts=counts[order],
        tokens=rank[flat].astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        source=np.asarray(source, dtype=np.int32),
        sources=[path.name for path in paths],
    )
    _warn_of_unsegmented(text, paths)
    return text


def _warn_of_unsegmented(text: TokenizedText, paths: Sequence[Path]) -> None:
    for script in unsegmented(zip(text.words, text.counts.tolist(), strict=True)):
        first = int(np.argmax(text.tokens == text.words.index(script.word)))
        sentence = int(np.searchsorted(text.offsets, first, side="right")) - 1
        message = Warnings.WL404.format(
            path=paths[text.source[sentence]],
            script=script.script,
            value=shown(script.word),
            language=script.language,
        )
        warnings.warn(message, stacklevel=3)


def split_held_out(text: TokenizedText, n_held_out: int) -> tuple[NDArray, NDArray]:
    """Choose sentences to train on and to hold out: the end of each source is held out.

    Whole stretches of text rather than scattered sentences, so that a document's names and
    phrases are not on both sides. At most n_held_out sentences and a tenth of a source; of
    all sources together where each is too short for that, as in a folder of small files.
    """
    n_sources = len(text.sources)
    # Sentences are ordered by source.
    starts = np.searchsorted(text.source, np.arange(n_sources + 1)).tolist()
    if n_held_out and all(b - a < 10 for a, b in pairwise(starts)):
        starts = [0, text.n_sentences]
    train, held_out = [], []
    for start, end in pairwise(starts):
        rows = np.arange(start, end)
        n = min(n_held_out, len(rows) // 10)
        train.append(rows[: len(rows) - n])
        held_out.append(rows[len(rows) - n :])
    return np.concatenate(train), np.concatenate(held_out)


def shuffled_batches(
    text: TokenizedText, rows: NDArray, batch_tokens: int, rng: np.random.Generator
) -> list[NDArray]:
    """Cut one epoch into batches of about batch_tokens tokens, of sentences of similar length."""
    order = rng.permutation(rows)
    batches = []
    for start in range(0, len(order), _POOL):
        batches += batches_by_length(text, order[start : start + _POOL], batch_tokens)
    return [batches[i] for i in rng.permutation(len(batches))]


def batches_by_length(text: TokenizedText, rows: NDArray, batch_tokens: int) -> list[NDArray]:
    """Cut sentences into batches of about batch_tokens tokens, marks included, longest first."""
    lengths = np.diff(text.offsets)[rows]
    order = np.argsort(-lengths, kind="stable")
    ends = np.cumsum(lengths[order] + 2)
    return np.split(rows[order], np.flatnonzero(np.diff(ends // batch_tokens)) + 1)


def running_batches(
    text: TokenizedText, rows: NDArray, batch_tokens: int, rng: np.random.Generator
) -> list[NDArray]:
    """Cut one epoch of running text: each batch holds the next sentence of every stream.

    rows: sentences in order of the text, cut into as many streams of equal length as make up about
    batch_tokens tokens; the few left over wait for an epoch that begins elsewhere. Each batch is
    (n_streams,) sentence indices, stream i at position i throughout.
    """
    n_tokens = np.diff(text.offsets)[rows].sum() + 2 * len(rows)
    n_streams = max(1, min(len(rows), round(batch_tokens * len(rows) / n_tokens)))
    n_batches = len(rows) // n_streams
    turned = np.roll(rows, -int(rng.integers(len(rows))))
    return list(turned[: n_streams * n_batches].reshape(n_streams, n_batches).T)
