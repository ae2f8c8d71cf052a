"""Raw text near small annotated corpora: what people of a field would have at hand.

    python -m benchmarks.field_text TEXT.txt.xz ... [--fields politics,science]
        [--sentences 30000] [--every 2] [--output training/field-text]

TEXT: files with a sentence per line. Each training sentence asks for those nearest to it, by the
cosine of their mean word vectors ("glove-en", weighted by rarity), and OUTPUT/FIELD.txt gets what
all of them asked for, in the order of the texts. Run after `python -m benchmarks.fields FOLDER`.
Then a biLM reads on, and the yardstick scores it:

    python -m spacy elmo pretrain training/field-text/FIELD.txt --init small-en
        --output training/field-text/FIELD
    python -m benchmarks.yardstick --test --vectors training/vectors --corpora FIELD
        --systems "head + both" --bilm training/field-text/FIELD
        --results benchmarks/results/field-text.json
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.docbin import read_docs
from spacy_elmo_ner.corpus.text_files import open_text
from spacy_elmo_ner.files import write_text
from spacy_elmo_ner.vectors.shared import shared_table

_WORD = re.compile(r"\w+")
# Words; shorter ones say little, longer ones are often lists.
_LENGTHS = range(8, 51)
_SENTENCES_AT_ONCE = 50_000

Vectors = NDArray[np.float32]


class Texts:
    """Sentences, each a set of numbered words, and a unit vector for each."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences: list[str] = []
        self.words: dict[str, int] = {}
        word_sets: list[NDArray[np.int32]] = []
        n_with: Counter[int] = Counter()
        for sentence in sentences:
            found = set(_WORD.findall(sentence.lower()))
            numbers = [self.words.setdefault(word, len(self.words)) for word in found]
            n_with.update(numbers)
            self.sentences.append(sentence)
            word_sets.append(np.array(numbers, dtype=np.int32))
        keys = np.array([get_string_id(word) for word in self.words], dtype=np.uint64)
        vectors = shared_table("glove-en").look_up(keys[:, None])
        counts = np.array([n_with[number] for number in range(len(self.words))])
        rarity = np.log(len(self.sentences) / counts)
        self._of_words = _unit(vectors) * rarity[:, None].astype(np.float32)
        cuts = range(0, len(word_sets), _SENTENCES_AT_ONCE)
        means = [self._sums(word_sets[cut : cut + _SENTENCES_AT_ONCE]) for cut in cuts]
        units = _unit(np.concatenate(means))
        self._centre = units.mean(axis=0)
        self.vectors = _unit(units - self._centre)

    def nearest(self, sentence: str, n: int) -> NDArray[np.int64]:
        """Return the numbers of the n sentences nearest to this one, in no order."""
        known = [self.words[word] for word in set(_WORD.findall(sentence.lower()))
                 if word in self.words]  # fmt: skip
        if not known:
            return np.empty(0, dtype=np.int64)
        vector = _unit(_unit(self._sums([np.array(known)])) - self._centre)[0]
        return np.argpartition(-(self.vectors @ vector), min(n, len(self.vectors) - 1))[:n]

    def _sums(self, word_sets: Sequence[NDArray[np.integer]]) -> Vectors:
        starts = np.cumsum([0, *(len(numbers) for numbers in word_sets[:-1])])
        return np.add.reduceat(self._of_words[np.concatenate(word_sets)], starts, axis=0)


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def read_sentences(paths: Iterable[Path], every: int) -> Iterable[str]:
    """Yield every n-th line of each file, if it has as many words as a sentence should."""
    for path in paths:
        with open_text(path) as file:
            for line in islice(file, 0, None, every):
                if len(_WORD.findall(line)) in _LENGTHS:
                    yield line.strip()


def field_text(texts: Texts, train: Sequence[str], n: int) -> list[str]:
    """Return about n sentences of the texts, or fewer: as many for each training sentence."""
    each = max(1, n // len(train))
    chosen = {i for sentence in train for i in texts.nearest(sentence, each).tolist()}
    return [texts.sentences[i] for i in sorted(chosen)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--fields", default="politics,science,literature,finance,anatomy")
    parser.add_argument("--sentences", type=int, default=30_000)
    parser.add_argument("--every", type=int, default=2, help="take every n-th line")
    parser.add_argument("--corpora", type=Path, default=Path("corpus/fields"))
    parser.add_argument("--output", type=Path, default=Path("training/field-text"))
    args = parser.parse_args()
    texts = Texts(read_sentences(args.texts, args.every))
    print(f"Read {len(texts.sentences):,} sentences")
    for field in args.fields.split(","):
        docs = read_docs(args.corpora / field / "train.spacy", Vocab())
        sentences = field_text(texts, [doc.text for doc in docs], args.sentences)
        path = args.output / f"{field}.txt"
        write_text(path, "\n".join(sentences) + "\n")
        print(f"Wrote {path}: {len(sentences):,} sentences")


if __name__ == "__main__":
    main()
