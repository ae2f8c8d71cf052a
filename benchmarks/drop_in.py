"""What en_elmo_gmb_sm sets beside entities and tags, against gold sentences and en_core_web_sm.

    python -m benchmarks.drop_in assets/pipelines/en_elmo_gmb_sm en_core_web_sm \\
        --test corpus/clean/test_fixed.spacy --dev corpus/clean/dev.spacy [--output FILE]

Sentences of the test part are joined into texts of up to ten; their bounds are scored for both
pipelines and for spaCy's rule-based sentencizer. There is no gold annotation of coarse tags, lemmas
and noun chunks: on the dev part, what both pipelines give is compared. Both get gold's words.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.corpus.docbin import read_docs
from spacy_elmo_ner.corpus.docs import blank_copy
from spacy_elmo_ner.corpus.joined_sentences import create_joined_sentences_reader_v1

from .output import machine, write


def sentence_f1(nlp: Language, path: Path) -> float:
    examples = list(create_joined_sentences_reader_v1(path)(nlp))
    return float(nlp.evaluate(examples)["sents_f"])


def annotated(nlp: Language, path: Path) -> list[Doc]:
    return list(
        nlp.pipe((blank_copy(doc, nlp.vocab) for doc in read_docs(path, nlp.vocab)), batch_size=256)
    )


def agreement(ours: Sequence[Doc], theirs: Sequence[Doc]) -> dict[str, float]:
    """Shares of tokens with the same coarse tag and lemma, and F1 of noun chunks."""
    pairs = [pair for docs in zip(ours, theirs, strict=True) for pair in zip(*docs, strict=True)]
    chunks = [
        {(i, chunk.start, chunk.end) for i, doc in enumerate(docs) for chunk in doc.noun_chunks}
        for docs in (ours, theirs)
    ]
    return {
        "words": len(pairs),
        "pos": share(a.pos == b.pos for a, b in pairs),
        "lemma": share(a.lemma == b.lemma for a, b in pairs),
        "noun_chunks_f": 2 * len(chunks[0] & chunks[1]) / sum(map(len, chunks)),
    }


def share(right: Iterable[bool]) -> float:
    values = list(right)
    return sum(values) / len(values)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pipeline")
    parser.add_argument("other", help="en_core_web_sm, by name or folder")
    parser.add_argument("--test", type=Path, required=True, help="scores sentences")
    parser.add_argument("--dev", type=Path, required=True, help="compares the rest")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/drop-in.json"))
    options = parser.parse_args(arguments)
    ours, theirs = spacy.load(options.pipeline), spacy.load(options.other)
    rules = spacy.blank("en")
    rules.add_pipe("sentencizer")
    found: dict[str, Any] = {
        "pipeline": ours.meta["name"],
        "machine": machine(torch.get_num_threads()),
        "sentences": {
            name: sentence_f1(nlp, options.test)
            for name, nlp in (("ours", ours), ("en_core_web_sm", theirs), ("sentencizer", rules))
        },
        "agreement": agreement(annotated(ours, options.dev), annotated(theirs, options.dev)),
    }
    write(options.output, found)


if __name__ == "__main__":
    main()
