"""Odd Docs through a small pipeline: ``python -m tests.fuzz.documents [--seconds S] [--seed N]``.

Counts the Docs and tokens annotated and what was wrong with any, in
benchmarks/results/trust-documents.json, added to what is there.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import torch
from spacy.language import Language
from spacy.tokens import Doc

from . import results
from .pipelines import odd_words, problem, tiny_pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seed = arguments.seed if arguments.seed is not None else time.time_ns()
    rng = random.Random(seed)
    before = results.read("documents")
    n_docs, n_tokens = before.get("docs", 0), before.get("tokens", 0)
    problems: dict[str, list[str]] = before.get("problems", {})
    with tempfile.TemporaryDirectory() as folder:
        nlp = tiny_pipeline(Path(folder))
        end = time.monotonic() + arguments.seconds
        while time.monotonic() < end:
            some = [odd_words(rng) for _ in range(rng.choice((1, 8, 64)))]
            problems |= annotate(nlp, some)
            n_docs, n_tokens = n_docs + len(some), n_tokens + sum(map(len, some))
    found = {"docs": n_docs, "tokens": n_tokens, "problems": problems}
    results.write(
        "documents", f"python -m tests.fuzz.documents --seconds {arguments.seconds:g}", found
    )
    print(f"{n_docs:,} Docs of {n_tokens:,} tokens, {len(problems)} problems")


def annotate(nlp: Language, some: list[list[str]]) -> dict[str, list[str]]:
    """Problems found in these Docs, each with the words of the last Doc that has it."""
    problems = {}
    with nlp.memory_zone():
        docs = (Doc(nlp.vocab, words=words) for words in some)
        for words, doc in zip(some, nlp.pipe(docs, batch_size=32), strict=True):
            if found := problem(nlp, doc, words):
                problems[found] = words
    return problems


if __name__ == "__main__":
    main()
