"""Many threads through one pipeline and one biLM, compared with one thread.

    python -m benchmarks.threads PIPELINE [--ways calls,pipe,embed] [--runs 20] [--texts 2000]

In each run the pipeline is loaded anew, and 8 threads take 2,000 texts each, all different and
many of their words new. Their annotations and vectors are compared with those of one thread on a
pipeline of its own; afterwards one thread asks the shared pipeline again for a part of them. Exits
with 1 if anything differs.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.corpus.sample import read_conll
from spacy_elmo_ner.layers.bilm_layer import BiLMShim

SAMPLE = Path(__file__).parent.parent / "assets" / "sample" / "train.conll"
WAYS = ("calls", "pipe", "embed")
N_THREADS = 8


def texts_of(n: int, seed: int) -> list[list[str]]:
    """n short texts of the sample's words, every fifth word spelled as no other text has it."""
    rng = random.Random(seed)
    sentences = [sentence.words for sentence in read_conll(SAMPLE)]
    texts = []
    for i in range(n):
        words = rng.choice(sentences)
        start = rng.randrange(max(1, len(words) - 6))
        words = list(words[start : start + rng.randint(2, 6)])
        if i % 5:
            at = rng.randrange(len(words))
            words[at] += f"{rng.randrange(10**6):x}"
        texts.append(words)
    return texts


def run(way: str, nlp: Language, texts: Sequence[list[str]]) -> list[Any]:
    """What one thread gets for its texts."""
    if way == "embed":
        bilm = next(
            shim.bilm
            for _, pipe in nlp.pipeline
            for node in pipe.model.walk()
            for shim in node.shims
            if isinstance(shim, BiLMShim)
        )
        batches = (texts[i : i + 4] for i in range(0, len(texts), 4))
        # Small enough to keep all of them: sums, and the values of one token.
        return [
            np.concatenate([layers.sum(axis=(1, 2)), layers[:, 0, :8].ravel()])
            for batch in batches
            for layers in bilm.embed(batch)
        ]
    docs = (Doc(nlp.vocab, words=words) for words in texts)
    annotated = nlp.pipe(docs, batch_size=8) if way == "pipe" else map(nlp, docs)
    return [_annotation(doc) for doc in annotated]


def _annotation(doc: Doc) -> tuple[Any, ...]:
    spans = tuple((ent.start, ent.end, ent.label_) for ent in doc.ents)
    scores = [ent._.confidence for ent in doc.ents]
    return spans, tuple(token.tag_ for token in doc), np.asarray(scores, dtype=float)


def n_different(found: Sequence[Any], expected: Sequence[Any]) -> int:
    return sum(not _same(one, other) for one, other in zip(found, expected, strict=True))


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, tuple):
        return found[:2] == expected[:2] and np.allclose(found[2], expected[2], atol=1e-4)
    return np.allclose(found, expected, rtol=1e-4, atol=1e-3)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    barrier = threading.Barrier(N_THREADS)

    def begin(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(begin, range(N_THREADS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pipeline")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--texts", type=int, default=2000)
    args = parser.parse_args()
    inputs = [texts_of(args.texts, seed) for seed in range(N_THREADS)]
    n_wrong = 0
    for way in args.ways.split(","):
        alone = spacy.load(args.pipeline)
        expected = [run(way, alone, texts) for texts in inputs]
        for number in range(1, args.runs + 1):
            start = time.perf_counter()
            nlp = spacy.load(args.pipeline)
            found = in_threads(lambda i, way=way, nlp=nlp: run(way, nlp, inputs[i]))
            n_during = sum(map(n_different, found, expected))
            n_again = max(1, args.texts // 10)
            n_after = sum(
                n_different(run(way, nlp, texts[:n_again]), wanted[:n_again])
                for texts, wanted in zip(inputs, expected, strict=True)
            )
            seconds = time.perf_counter() - start
            print(
                f"{way} run {number}: {N_THREADS} x {args.texts} texts, {n_during} different "
                f"during, {n_after} after, {seconds:.0f} s",
                flush=True,
            )
            n_wrong += n_during + n_after
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
