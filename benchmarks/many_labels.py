"""Speed of `elmo_ner` and of spaCy's `ner` by the number of entity types.

    python -m benchmarks.many_labels [--types 8,66,200] [--runs 5]
        [--output benchmarks/results/many-labels.json]

Both have their default models, unless configured otherwise, and learn random types of the sample
corpus's entities for a few updates. Measured are the whole pipeline's words per second, and the
seconds of an update with 1,200 words. Torch has one thread, and what is counted is the processor
time of this process: other processes do not change it much.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.corpus.sample import read_conll
from spacy_elmo_ner.decoding import bio_to_spans

from .output import machine, write

SAMPLE = Path(__file__).parent.parent / "assets" / "sample" / "train.conll"
UPDATE_WORDS = 1200
PREDICTED_WORDS = 6000
BEFORE = 3  # updates that are not measured; spaCy's decoder is faster once it is not random
FACTORIES = ("elmo_ner", "ner")


def docs_of(nlp: Language, n_types: int, n_words: int) -> list[Doc]:
    """Annotated Docs of about n_words words; each entity has a type of its own, drawn at random."""
    rng = random.Random(0)
    docs: list[Doc] = []
    sentences = read_conll(SAMPLE)
    while sum(map(len, docs)) < n_words:
        sentence = sentences[len(docs) % len(sentences)]
        doc = Doc(nlp.vocab, words=sentence.words)
        spans = bio_to_spans(sentence.ents)
        types = (f"TYPE{rng.randrange(n_types)}" for _ in spans)
        doc.set_ents(
            [
                Span(doc, start, end, name)
                for (start, end, _), name in zip(spans, types, strict=True)
            ],
            default="outside",
        )
        docs.append(doc)
    return docs


def seconds(work: Callable[[], object], runs: int) -> list[float]:
    taken = []
    for _ in range(runs):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return taken


def measure(factory: str, n_types: int, runs: int) -> dict[str, Any]:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(factory)
    for i in range(n_types):
        pipe.add_label(f"TYPE{i}")  # type: ignore[attr-defined]
    gold = docs_of(nlp, n_types, UPDATE_WORDS)
    words = [[token.text for token in doc] for doc in docs_of(nlp, n_types, PREDICTED_WORDS)]

    def examples() -> list[Example]:
        return [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in gold]

    optimizer = nlp.initialize(examples)
    batches = [examples() for _ in range(BEFORE + runs)]
    for batch in batches[:BEFORE]:
        nlp.update(batch, sgd=optimizer)
    rest = iter(batches[BEFORE:])
    updates = seconds(lambda: nlp.update(next(rest), sgd=optimizer), runs)

    def predict() -> None:
        for _ in nlp.pipe((Doc(nlp.vocab, words=each) for each in words), batch_size=64):
            pass

    predict()  # reads the biLM's words once
    predictions = seconds(predict, runs)
    n_words = sum(map(len, words))
    return {
        "pipe": factory,
        "types": n_types,
        "words_per_second": n_words / statistics.median(predictions),
        "update_seconds": statistics.median(updates),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", default="8,66,200")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for n_types in map(int, args.types.split(",")):
        for factory in FACTORIES:
            rows.append(measure(factory, n_types, args.runs))
            print("{pipe} {types}: {words_per_second:,.0f} {update_seconds:.3f}".format(**rows[-1]))
    if args.output:
        write(args.output, {"update_words": UPDATE_WORDS, "machine": machine(1), "rows": rows})


if __name__ == "__main__":
    main()
