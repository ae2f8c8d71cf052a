"""Annotate what the pipeline is least sure of, train again, and compare with texts at random.

    python examples/active_learning/loop.py --output active

The sample corpus plays the annotator: its sentences are taken without their annotation, and the
annotation is looked up when a sentence is chosen.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import fix_random_seed

from spacy_elmo_ner.corpus.docs import blank_doc, sentence_to_doc
from spacy_elmo_ner.corpus.gmb import GMBSentence
from spacy_elmo_ner.corpus.sample import read_sample

Pool = dict[str, GMBSentence]


def examples(nlp: Language, sentences: Sequence[GMBSentence]) -> list[Example]:
    return [
        Example(blank_doc(s.words, nlp.vocab), sentence_to_doc(s, nlp.vocab)) for s in sentences
    ]


def train(sentences: Sequence[GMBSentence], steps: int) -> Language:
    """Train `elmo` and `elmo_ner` from the beginning; the biLM is frozen."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo")
    nlp.add_pipe("elmo_ner")
    gold = examples(nlp, sentences)
    optimizer = nlp.initialize(lambda: gold)
    optimizer.learn_rate = 0.005
    done = 0
    while done < steps:
        random.shuffle(gold)
        for batch in list(minibatch(gold, 25))[: steps - done]:
            nlp.update(batch, sgd=optimizer)
            done += 1
    return nlp


def least_certain(nlp: Language, pool: Pool, n: int, folder: Path) -> list[str]:
    """Return the ids of the n texts that the pipeline is least certain of."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nlp.to_disk(folder / "pipeline")
    rows = [{"id": name, "text": " ".join(s.words)} for name, s in pool.items()]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "pool.jsonl").write_text(lines, encoding="utf8")
    command = [sys.executable, "-m", "spacy", "elmo", "annotate", str(folder / "pool.jsonl")]
    command += ["--pipeline", str(folder / "pipeline"), "--output", str(folder / "annotated")]
    subprocess.run([*command, "--sort", "uncertain"], check=True)
    files = sorted((folder / "annotated").glob("*.jsonl"))
    found = [json.loads(line)["id"] for file in files for line in file.open(encoding="utf8")]
    return found[:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("assets/sample"))
    parser.add_argument("--output", type=Path, default=Path("active"))
    parser.add_argument("--start", type=int, default=50, help="sentences annotated at first")
    parser.add_argument("--take", type=int, default=50, help="sentences annotated in a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60, help="of each training")
    arguments = parser.parse_args()

    corpus = read_sample(arguments.corpus)
    pool: Pool = {f"s{i}": sentence for i, sentence in enumerate(corpus.part("train"))}
    names = list(pool)
    random.Random(0).shuffle(names)
    at_first = names[: arguments.start]
    first = train([pool[name] for name in at_first], arguments.steps)
    test = corpus.part("test")
    print(f"{len(at_first)} sentences: F1 {first.evaluate(examples(first, test))['ents_f']:.3f}")

    for way in ("least certain", "at random"):
        chosen, nlp = list(at_first), first
        for _ in range(arguments.rounds):
            rest = {name: pool[name] for name in names if name not in set(chosen)}
            if way == "at random":
                chosen += list(rest)[: arguments.take]
            else:
                chosen += least_certain(nlp, rest, arguments.take, arguments.output)
            nlp = train([pool[name] for name in chosen], arguments.steps)
            score = nlp.evaluate(examples(nlp, test))["ents_f"]
            print(f"{len(chosen)} sentences, {way}: F1 {score:.3f}", flush=True)


if __name__ == "__main__":
    main()
