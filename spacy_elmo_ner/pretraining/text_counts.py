"""Count what a run reads before it trains: sizes, and what its vocabulary leaves out."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from ..corpus.language import ENGLISH, TextLanguage
from ..errors import Errors
from ..files import write_text
from .objective import Vocabulary
from .text import TokenizedText

COUNTS_FILE = "text.json"


@dataclass(frozen=True)
class PartSize:
    """Holds the size of a part; oov: share of tokens outside the vocabulary, None if empty."""

    n_sentences: int
    n_tokens: int
    oov: float | None


@dataclass(frozen=True)
class SourceSize:
    """Holds the sizes of a file's two parts."""

    file: str
    train: PartSize
    held_out: PartSize


@dataclass(frozen=True)
class TextCounts:
    """Counts what a run reads.

    n_distinct: distinct words of all parts. n_held_out, language: settings of [text].
    """

    n_files: int
    n_distinct: int
    n_vocabulary: int
    n_held_out: int
    train: PartSize
    held_out: PartSize
    sources: list[SourceSize]
    language: TextLanguage = ENGLISH

    @classmethod
    def of(
        cls,
        text: TokenizedText,
        train: NDArray,
        held_out: NDArray,
        vocabulary: Vocabulary,
        n_held_out: int,
        language: TextLanguage = ENGLISH,
    ) -> "TextCounts":
        """Count; train, held_out: indices of sentences, as `split_held_out` gives them."""
        unknown = vocabulary.lacks(text.words)
        n_sources = len(text.sources)
        # Of each sentence: one, its tokens, and those of them outside the vocabulary.
        missed = np.add.reduceat(unknown[text.tokens], text.offsets[:-1], dtype=np.int64)
        columns = (np.ones_like(missed), np.diff(text.offsets), missed)
        # (n_sources, sentences | tokens | tokens outside the vocabulary)
        parts = [
            np.stack(
                [np.bincount(text.source[rows], column[rows], n_sources) for column in columns], 1
            )
            for rows in (train, held_out)
        ]
        by_source = (map(_part, part) for part in parts)
        whole_train, whole_held_out = (_part(part.sum(0)) for part in parts)
        return cls(
            n_files=n_sources,
            n_distinct=len(text.words),
            n_vocabulary=len(vocabulary),
            n_held_out=n_held_out,
            train=whole_train,
            held_out=whole_held_out,
            sources=[SourceSize(*row) for row in zip(text.sources, *by_source, strict=True)],
            language=language,
        )

    def lines(self) -> Iterator[str]:
        """Yield the counts as lines for people."""
        train, held_out = self.train, self.held_out
        yield (
            f"Read {self.n_files:,} file{'s' * (self.n_files != 1)}: "
            f"{train.n_sentences + held_out.n_sentences:,} sentences, "
            f"{train.n_tokens + held_out.n_tokens:,} tokens, {self.n_distinct:,} distinct words"
        )
        yield f"Vocabulary: {self.n_vocabulary:,} words"
        for name, part in (("Train", train), ("Held out", held_out)):
            missed = "" if part.oov is None else f", {part.oov:.2%} of them outside the vocabulary"
            yield f"{name}: {part.n_sentences:,} sentences, {part.n_tokens:,} tokens{missed}"

    def to_json(self, path: Path) -> None:
        """Write the counts, whole or not at all."""
        write_text(path, json.dumps(asdict(self), indent=1) + "\n")


def read_n_held_out(directory: Path) -> int:
    """Read the setting a run was made with. Raises FileNotFoundError, or ValueError for damage."""
    path = directory / COUNTS_FILE
    if not path.is_file():
        raise FileNotFoundError(Errors.EL422.format(path=path))
    try:
        value = json.loads(path.read_text(encoding="utf8"))["n_held_out"]
        if type(value) is not int or value < 0:
            raise ValueError(f"n_held_out is {value!r}")
    except (ValueError, LookupError, TypeError, RecursionError) as err:
        raise ValueError(Errors.EL423.format(path=path, problem=err)) from err
    return value


def read_language(directory: Path) -> TextLanguage:
    """Read what cut a run's text into words: English where it does not say so, as in 0.1.0.

    Raises ValueError (EL423) for damage.
    """
    path = directory / COUNTS_FILE
    if not path.is_file():
        return ENGLISH
    try:
        settings = json.loads(path.read_text(encoding="utf8")).get("language", {})
        return TypeAdapter(TextLanguage).validate_python(settings, strict=False)
    except (ValueError, AttributeError, TypeError, RecursionError) as err:
        raise ValueError(Errors.EL423.format(path=path, problem=err)) from err


def _part(counts: NDArray) -> PartSize:
    n_sentences, n_tokens, n_unknown = counts.astype(np.int64).tolist()
    return PartSize(n_sentences, n_tokens, n_unknown / n_tokens if n_tokens else None)
