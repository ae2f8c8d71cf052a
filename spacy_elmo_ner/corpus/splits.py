"""Cut the corpus into train, dev and test: as the article does, or without leaking names."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from ..errors import Errors
from .gmb import GMBFile, GMBSentence

SplitName = Literal["seed", "clean"]
Part = Literal["train", "dev", "test"]
Variant = Literal["full", "fixed", "published"]
PARTS: tuple[Part, ...] = get_args(Part)
VARIANTS: tuple[Variant, ...] = get_args(Variant)

# Words: the article's sentence length.
MAX_WORDS = 50

# Sentences. Repeated names of persons fall to chance level eight sentences on, so a guard of ten
# at each border keeps a document out of two parts, and 200 makes the borders few.
BLOCK, GUARD = 200, 10

# The article's sizes are multiples of its batch of 32; what is left over it never used.
_SEED_SENTENCES = 47_959
_SEED_TRAIN, _SEED_DEV, _SEED_TEST = 38_816, 4_320, 4_768
_SEED = 2021


@dataclass(frozen=True)
class Split:
    """Hold the sentences of each part; their order is part of the split."""

    train: list[GMBSentence]
    dev: list[GMBSentence]
    test: list[GMBSentence]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Count the sentences in train, dev and test."""
        return len(self.train), len(self.dev), len(self.test)

    def part(self, name: Part) -> list[GMBSentence]:
        """Return the sentences of one part."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[name]

    def sha256(self) -> str:
        """Hash (part, sentence number, words) of every sentence in order, as UTF-8 lines."""
        digest = hashlib.sha256()
        for part in PARTS:
            for sentence in self.part(part):
                line = "\t".join((part, str(sentence.number), *sentence.words))
                digest.update(f"{line}\n".encode())
        return digest.hexdigest()


class Frozen(NamedTuple):
    """Say what a split of the published CSV must be equal to."""

    sizes: tuple[int, int, int]
    sha256: str


FROZEN: dict[SplitName, Frozen] = {
    "seed": Frozen(
        (_SEED_TRAIN, _SEED_DEV, _SEED_TEST),
        "eb74caf52b5f04d243f8fd67a20551a87c268bfb741e9db96907226b8424a56b",
    ),
    "clean": Frozen(
        (37_659, 4_676, 4_728),
        "cbe9111ba763c3c62667305a0f6142ee4b5095cdd246a51bf5178c9d0be28a38",
    ),
}


def split_gmb(gmb: GMBFile, name: SplitName) -> Split:
    """Split a CSV; that of the published file is checked against `FROZEN` (EL214)."""
    split = {"seed": seed_split, "clean": clean_split}[name](gmb.sentences)
    made = Frozen(split.sizes, split.sha256())
    if gmb.is_published and made != FROZEN[name]:
        raise ValueError(Errors.EL214.format(split=name, found=made, expected=FROZEN[name]))
    return split


def seed_split(sentences: Iterable[GMBSentence]) -> Split:
    """Split as the article does, sentence for sentence.

    Sentences sorted by their id as a string ("Sentence: 1", "Sentence: 10", "Sentence: 100");
    scikit-learn's ``train_test_split(test_size=0.1, random_state=2021)``, which is one permutation
    by numpy's RandomState with the test part first; then train is the first 38,816 of the 90 %,
    dev its last 4,320, test the first 4,768 of the 10 %. Raises ValueError (EL212) unless there
    are 47,959 sentences.

    46 sentences of its test part are also in its train part: report results on `clean_split`.
    """
    sentences = list(sentences)
    if len(sentences) != _SEED_SENTENCES:
        raise ValueError(Errors.EL212.format(n=len(sentences), expected=_SEED_SENTENCES))
    by_name = sorted(sentences, key=lambda sentence: str(sentence.number))
    order = np.random.RandomState(_SEED).permutation(len(by_name))
    n_test = math.ceil(0.1 * len(by_name))
    test = [by_name[i] for i in order[:n_test]]
    rest = [by_name[i] for i in order[n_test:]]
    return Split(rest[:_SEED_TRAIN], rest[-_SEED_DEV:], test[:_SEED_TEST])


def clean_split(
    sentences: Iterable[GMBSentence], *, block: int = BLOCK, guard: int = GUARD
) -> Split:
    """Split about 80/10/10 by whole stretches of the corpus, so that nothing of test is in train.

    1. The corpus is in the order of its documents. It is cut into blocks of ``block``
       sentences by number; of the blocks, sorted by the sha256 of their index, the first tenth is
       test, the second dev, the rest train.
    2. A document may cross the border of two parts. Within ``guard`` sentences of a border the
       sentences of train (beside dev or test) or dev (beside test) are left out.
    3. All copies of an identical sentence stay in one part, train if it has one, else dev; copies
       elsewhere are left out.

    Each part is in the order of the corpus. Raises ValueError (EL213) for fewer than three blocks.
    """
    sentences = list(sentences)
    parts = _block_parts({_block(s.number, block) for s in sentences})
    kept = []
    for sentence in sorted(sentences, key=lambda sentence: sentence.number):
        first, own, last = (
            parts.get(_block(sentence.number + step, block), 0) for step in (-guard, 0, guard)
        )
        if own >= max(first, last):
            kept.append((own, sentence))
    home: dict[tuple[str, ...], int] = {}
    for own, sentence in kept:
        home[sentence.words] = min(own, home.get(sentence.words, own))
    split = Split([], [], [])
    for own, sentence in kept:
        if own == home[sentence.words]:
            split.part(PARTS[own]).append(sentence)
    return split


def _block(number: int, block: int) -> int:
    return (number - 1) // block


def _block_parts(blocks: set[int]) -> dict[int, int]:
    """Map each block to the index of its part in `PARTS`."""
    if len(blocks) < len(PARTS):
        raise ValueError(Errors.EL213.format(n=len(blocks)))
    shuffled = sorted(blocks, key=lambda block: hashlib.sha256(str(block).encode()).digest())
    tenth = max(1, round(len(blocks) / 10))
    return {
        block: 2 if rank < tenth else 1 if rank < 2 * tenth else 0
        for rank, block in enumerate(shuffled)
    }


def cut(sentence: GMBSentence, variant: Variant) -> GMBSentence:
    """Return a sentence as a variant scores it.

    full: whole. fixed: the first 50 words with their tags and labels. published: the first 50
    words with the *last* 50 tags and labels, as the article's ``pad_sequences`` default left them;
    they belong to other words in any sentence of more than 50.
    """
    if variant == "full" or len(sentence.words) <= MAX_WORDS:
        return sentence
    kept = slice(-MAX_WORDS, None) if variant == "published" else slice(MAX_WORDS)
    return GMBSentence(
        sentence.number, sentence.words[:MAX_WORDS], sentence.tags[kept], sentence.ents[kept]
    )
