"""Passes over the same training Docs, with and without the layers of the frozen biLM kept.

    python -m benchmarks.training_speed --corpus corpus/train.spacy [--docs 4000]
        [--names NAME,NAME...] [--output benchmarks/results/training.json]

Trains configs/elmo.cfg's pipes for three passes, once with `training_cache` and once without, in
turns pass by pass. Official names stand for their shapes, with random weights: what is timed does
not depend on them. Run from the root of the checkout, on a machine that does nothing else.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import load_config, load_model_from_config

from spacy_elmo_ner.cli.memory import keep_freed_memory
from spacy_elmo_ner.corpus.docs import blank_copy
from spacy_elmo_ner.elmo.pretrained import OFFICIAL

from .allennlp_peer.inputs import random_bilm
from .output import machine, write

PASSES = 3
CONFIG = Path("configs/elmo.cfg")


@dataclass
class Training:
    """A pipeline in training, its examples, and the seconds of each pass so far."""

    name: str
    cached: bool
    nlp: Language
    examples: Sequence[Example]
    seconds: list[float]

    @classmethod
    def start(cls, name: str, source: str, cached: bool, path: Path, n_docs: int) -> "Training":
        overrides: dict[str, Any] = {"components.elmo.model.name": source}
        if name in OFFICIAL:
            width = OFFICIAL[name].options.width
            for pipe in ("elmo_tagger", "elmo_ner"):
                overrides[f"components.{pipe}.model.tok2vec.elmo.width"] = width
        config = load_config(CONFIG, overrides=overrides)
        config["components"]["elmo"]["training_cache"] = 8.0 if cached else 0.0
        nlp = load_model_from_config(config, auto_fill=True)
        docs = list(DocBin().from_disk(path).get_docs(nlp.vocab))[:n_docs]
        examples = [Example(blank_copy(doc, nlp.vocab), doc) for doc in docs]
        nlp.initialize(lambda: examples)
        return cls(name, cached, nlp, examples, [])

    def run_pass(self) -> None:
        make_batcher = spacy.registry.batchers.get("spacy.batch_by_words.v1")
        batches = make_batcher(size=1200, tolerance=0.2, discard_oversize=False, get_length=None)
        start = time.perf_counter()
        for batch in batches(self.examples):
            self.nlp.update(batch, sgd=self.nlp._optimizer)
        self.seconds.append(time.perf_counter() - start)


def measure(name: str, path: Path, n_docs: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        source = name
        if name in OFFICIAL:
            source = folder
            random_bilm(OFFICIAL[name].options, [["The", "cat", "sat", "."]]).to_disk(folder)
        trainings = [Training.start(name, source, cached, path, n_docs) for cached in (True, False)]
        for _ in range(PASSES):
            for each in trainings:
                each.run_pass()
    return [
        {"bilm": each.name, "cached": each.cached, "seconds": each.seconds} for each in trainings
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=4000)
    parser.add_argument("--names", default="small-en,elmo-small,elmo-original")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/training.json"))
    args = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    rows = [row for name in args.names.split(",") for row in measure(name, args.corpus, args.docs)]
    for row in rows:
        seconds = ", ".join(f"{each:.1f}" for each in row["seconds"])
        print(f"{row['bilm']}, {'kept' if row['cached'] else 'not kept'}: {seconds} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    write(
        args.output,
        {
            "corpus": args.corpus.name,
            "n_docs": args.docs,
            "machine": machine(args.threads),
            "peak_memory_bytes": peak,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
