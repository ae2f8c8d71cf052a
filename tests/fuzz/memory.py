"""Peak memory by length and number of Docs: ``python -m tests.fuzz.memory``. Linux.

Each size runs in a process of its own: a pipeline of the usual size, what it held before, and the
most it held while annotating, in benchmarks/results/trust-memory.json.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator

import torch
from spacy.tokens import Doc

from . import results
from .pipelines import shipped_pipeline
from .process import forget_peak, megabytes_at_most, megabytes_now

# Tokens of a Doc, and Docs in the stream.
SIZES = ((1_000, 1), (10_000, 1), (100_000, 1), (200_000, 1), (20, 1_000), (20, 100_000))
# Docs that go through without a zone: new words stay in spaCy's vocabulary until one ends.
_DOCS_PER_ZONE = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measured(*arguments.child)))
        return
    rows = []
    for n_tokens, n_docs in SIZES:
        command = [sys.executable, "-m", "tests.fuzz.memory", "--child", str(n_tokens), str(n_docs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
        results.write("memory", "python -m tests.fuzz.memory", {"rows": rows})


def measured(n_tokens: int, n_docs: int) -> dict[str, float]:
    torch.set_num_threads(1)
    nlp = shipped_pipeline()
    nlp.get_pipe("elmo").keep_layers = False
    for _ in nlp.pipe(["A first text , so that all is laid out ."] * 300, batch_size=256):
        pass
    before = megabytes_now()
    forget_peak()
    stream = docs_of(n_tokens, n_docs)
    found = 0
    for _ in range(0, n_docs, _DOCS_PER_ZONE):
        with nlp.memory_zone():
            some = (Doc(nlp.vocab, words=next(stream)) for _ in range(min(n_docs, _DOCS_PER_ZONE)))
            found += sum(len(doc) for doc in nlp.pipe(some, batch_size=256))
    peak = megabytes_at_most()
    return {
        "tokens": n_tokens,
        "docs": n_docs,
        "annotated": found,
        "megabytes_before": before,
        "megabytes_at_most": peak,
        "kilobytes_a_token": round((peak - before) * 1024 / n_tokens, 2) if n_docs == 1 else None,
    }


def docs_of(n_tokens: int, n_docs: int) -> Iterator[list[str]]:
    """Words of Zipf's kind: most of a text is few words, and new ones never end."""
    rng = random.Random(0)
    for _ in range(n_docs):
        yield [f"word{int(rng.paretovariate(0.8))}" for _ in range(n_tokens)]


if __name__ == "__main__":
    main()
