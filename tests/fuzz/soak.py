"""Annotate without end and watch the memory.

``python -m tests.fuzz.soak [--minutes M] [--seed N]``

Sentences of the sample corpus, a third of their words replaced by ones never seen before, odd
Docs among them and a long one now and then, through `nlp.pipe` in memory zones. Memory is read
once a minute; what was found so far is in benchmarks/results/trust-soak.json all the while. Linux.
"""

import argparse
import itertools
import random
import string
import time
from collections.abc import Iterator

import torch
from spacy.tokens import Doc

from spacy_elmo_ner.corpus.sample import read_conll

from . import results
from .pipelines import odd_words, problem, shipped_pipeline
from .process import megabytes_at_most, megabytes_now

_DOCS_PER_ZONE = 500
_SECONDS_PER_SAMPLE = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    nlp = shipped_pipeline()
    stream = texts(random.Random(arguments.seed))
    problems: dict[str, list[str]] = {}
    n_docs = n_words = 0
    samples: list[dict[str, float]] = []
    began = time.monotonic()
    end = began + 60 * arguments.minutes
    while not samples or time.monotonic() < end:
        with nlp.memory_zone():
            some = list(itertools.islice(stream, _DOCS_PER_ZONE))
            docs = (Doc(nlp.vocab, words=words) for words in some)
            for words, doc in zip(some, nlp.pipe(docs, batch_size=64), strict=True):
                if found := problem(nlp, doc, words):
                    problems.setdefault(found, words)
                n_docs, n_words = n_docs + 1, n_words + len(words)
            del doc, docs  # a Doc must not outlive its zone
        seconds = time.monotonic() - began
        due = not samples or seconds - samples[-1]["seconds"] >= _SECONDS_PER_SAMPLE
        if not due and time.monotonic() < end:
            continue
        row = {"seconds": round(seconds), "words": n_words, "megabytes": megabytes_now()}
        samples.append(row)
        found_all = {
            "minutes": round(seconds / 60, 1),
            "cpu_minutes": round(time.process_time() / 60, 1),
            "docs": n_docs,
            "words": n_words,
            "problems": problems,
            "peak_megabytes": megabytes_at_most(),
            "samples": samples,
        }
        results.write(
            "soak", f"python -m tests.fuzz.soak --minutes {arguments.minutes:g}", found_all
        )
    print(f"{n_docs:,} Docs of {n_words:,} words, {len(problems)} problems")


def texts(rng: random.Random) -> Iterator[list[str]]:
    """The words of one Doc after another, without end."""
    path = results.ROOT / "assets" / "sample" / "train.conll"
    sentences = [list(sentence.words) for sentence in read_conll(path)]
    while True:
        kind = rng.random()
        if kind < 0.05:
            yield odd_words(rng)
            continue
        n_sentences = 200 if kind < 0.051 else rng.choice((1, 1, 1, 2, 8))
        some = itertools.chain.from_iterable(rng.choices(sentences, k=n_sentences))
        yield [_invented(rng) if rng.random() < 1 / 3 else word for word in some]


def _invented(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_letters, k=rng.randrange(3, 14)))


if __name__ == "__main__":
    main()
