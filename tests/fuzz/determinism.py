"""Whatever must not change an answer, changed: ``python -m tests.fuzz.determinism [--docs N]``.

Annotates the same Docs in each way and writes down by how much any number differs from the first
time, in benchmarks/results/trust-determinism.json.
"""

import argparse
import itertools
import multiprocessing
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import fix_random_seed

from spacy_elmo_ner.elmo.pretrained import read_options
from tests.conftest import torch_threads
from tests.pipeline.conftest import make_examples

from . import results
from .pipelines import SENTENCES, make_pipeline, odd_words, shipped_pipeline
from .soak import texts

# Products over other numbers of rows are summed in another order.
ROUNDING = 1e-5

Words = Sequence[list[str]]


@dataclass(frozen=True)
class Row:
    """what was varied; the largest difference of a vector's value or a probability; Docs with
    other tags or entities; the difference that is allowed."""

    what: str
    max_diff: float
    n_other: int
    allowed: float

    @property
    def holds(self) -> bool:
        return self.max_diff <= self.allowed and not self.n_other


@dataclass(frozen=True)
class Answer:
    """What a pipeline says about one Doc: tags and entities, and numbers as float32."""

    names: tuple[tuple[object, ...], ...]
    of_tokens: NDArray[np.float32]
    of_entities: NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    words = make_texts(arguments.docs)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(vary_prediction(shipped_pipeline(), words, Path(folder)))
        rows += vary_training("small-en", Path(folder))
    for row in rows:
        print(row.what, row.max_diff, row.n_other, "" if row.holds else "DIFFERS", sep="\t")
    found = [{**asdict(row), "holds": row.holds} for row in rows]
    n_tokens = sum(map(len, words))
    command = f"python -m tests.fuzz.determinism --docs {arguments.docs}"
    results.write("determinism", command, {"docs": len(words), "tokens": n_tokens, "rows": found})
    sys.exit(not all(row.holds for row in rows))


def make_texts(n: int, n_long: int = 30) -> list[list[str]]:
    """Sentences, odd words, an empty Doc and a long one: of several windows, unless n_long is
    small."""
    rng = random.Random(0)
    some = list(itertools.islice(texts(rng), n))
    long = list(itertools.chain.from_iterable(itertools.islice(texts(rng), n_long)))
    return [*some, [], odd_words(rng), long, *(text.split() for text in SENTENCES)]


def vary_prediction(nlp: Language, words: Words, folder: Path) -> Iterator[Row]:
    """One row for each thing that may not change what the pipeline predicts."""
    first = answers(nlp.pipe(_docs(nlp, words), batch_size=32))

    def row(what: str, found: Sequence[Answer], allowed: float = ROUNDING) -> Row:
        return compare(what, first, found, allowed)

    yield row("the same again", answers(nlp.pipe(_docs(nlp, words), batch_size=32)), 0.0)
    yield row("one Doc after another", answers(map(nlp, _docs(nlp, words))))
    for size in (1, 7, 1000):
        docs = nlp.pipe(_docs(nlp, words), batch_size=size)
        yield row(f"batches of {size}", answers(docs))
    order = random.Random(1).sample(range(len(words)), len(words))
    shuffled = answers(nlp.pipe(_docs(nlp, [words[i] for i in order]), batch_size=32))
    yield row("another order", [shuffled[order.index(i)] for i in range(len(words))])
    mixed = [each for own in words for each in (["Paris"] * 40, own)]
    yield row("other Docs between them", answers(nlp.pipe(_docs(nlp, mixed), batch_size=32))[1::2])
    with nlp.memory_zone():
        yield row("in a memory zone", answers(nlp.pipe(_docs(nlp, words), batch_size=32)), 0.0)
    for method in ("fork", "spawn"):
        with _start_method(method):
            docs = nlp.pipe(_docs(nlp, words), batch_size=16, n_process=2)
            yield row(f"two processes, {method}", answers(docs))
    for n in (2, 4):
        with torch_threads(n):
            docs = nlp.pipe(_docs(nlp, words), batch_size=32)
            yield row(f"{n} threads", answers(docs))
    nlp.to_disk(folder / "saved")
    for what, other in (
        ("after to_disk and load", spacy.load(folder / "saved")),
        ("after to_bytes and from_bytes", _copied(nlp)),
    ):
        yield row(what, answers(other.pipe(_docs(other, words), batch_size=32)), 0.0)


def vary_training(bilm: str, folder: Path) -> Iterator[Row]:
    """Rows about training: twice, gone on with twice, and what it leaves in memory."""
    units = read_units(bilm)
    words = [text.split() for text in SENTENCES]
    pipelines = [make_pipeline(bilm, units, steps=6) for _ in range(2)]
    yield _compared_weights("trained twice with one seed", *pipelines)
    pipelines = [make_pipeline(bilm, units, steps=3, trainable=True) for _ in range(2)]
    yield _compared_weights("trained twice with one seed, the biLM too", *pipelines)
    pipelines[0].to_disk(folder / "trained")
    continued = [_trained_further(spacy.load(folder / "trained")) for _ in range(2)]
    yield _compared_weights("training continued twice from one folder", *continued)
    there = answers(continued[0].pipe(_docs(continued[0], words)))
    continued[0].to_disk(folder / "continued")
    loaded = spacy.load(folder / "continued")
    here = answers(loaded.pipe(_docs(loaded, words)))
    yield compare("training continued, then saved and loaded", there, here, 0.0)


def read_units(bilm: str) -> int:
    """Cells of the heads that suit a biLM: the default's for one of a usual size."""
    options = read_options(bilm)
    return 256 if options and options.width > 100 else 12


def _trained_further(nlp: Language) -> Language:
    fix_random_seed(1)
    optimizer = nlp.resume_training()
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=optimizer)
    return nlp


def _docs(nlp: Language, words: Words) -> Iterator[Doc]:
    return (Doc(nlp.vocab, words=each) for each in words)


def answers(docs: Iterable[Doc]) -> list[Answer]:
    found = []
    for doc in docs:
        ents = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        sure = np.asarray([token._.tag_confidence for token in doc], np.float32)
        found.append(
            Answer(
                (*ents, tuple(token.tag_ for token in doc)),
                np.concatenate([doc._.elmo.ravel(), sure]),
                np.asarray([ent._.confidence for ent in doc.ents], np.float32),
            )
        )
    return found


def compare(what: str, first: Sequence[Answer], found: Sequence[Answer], allowed: float) -> Row:
    pairs = list(zip(first, found, strict=True))
    same = [a.names == b.names for a, b in pairs]
    diffs = [np.abs(a.of_tokens - b.of_tokens).max(initial=0) for a, b in pairs]
    # The probabilities of other entities are not to be compared.
    diffs += [
        np.abs(a.of_entities - b.of_entities).max(initial=0)
        for (a, b), is_same in zip(pairs, same, strict=True)
        if is_same
    ]
    return Row(what, float(max(diffs, default=0.0)), same.count(False), allowed)


def _compared_weights(what: str, first: Language, second: Language) -> Row:
    """Two pipelines' weights, every bit; a difference of any is a difference of one."""
    pipes = [
        (first.get_pipe(name).model.to_bytes(), second.get_pipe(name).model.to_bytes())
        for name in first.pipe_names
    ]
    return Row(what, float(any(a != b for a, b in pipes)), 0, 0.0)


def _copied(nlp: Language) -> Language:
    other = spacy.blank("en").from_config(nlp.config)
    return other.from_bytes(nlp.to_bytes())


@contextmanager
def _start_method(method: str) -> Iterator[None]:
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)


if __name__ == "__main__":
    main()
