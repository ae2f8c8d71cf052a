"""Write annotated corpora of users' own fields as folders that `elmo train` reads.

    python -m benchmarks.fields [FOLDER] [--output corpus/fields]

FOLDER holds NAME/train.conll, NAME/dev.conll and NAME/test.conll for each corpus: a word, a tab
and its IOB2 label per line, and an empty line after each sentence. By default it is the folder
that the environment variable SPACY_ELMO_NER_FIELDS names.
"""

import argparse
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.folder import CORPUS_FILE
from spacy_elmo_ner.decoding import bio_to_spans
from spacy_elmo_ner.files import atomic_file, sha256_of

ENVIRONMENT_VARIABLE = "SPACY_ELMO_NER_FIELDS"
PARTS = ("train", "dev", "test")

_LABEL = re.compile(r"O|[BI]-\S+")
_ATTRS = ("ORTH", "ENT_IOB", "ENT_TYPE")


def read_sentences(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the words and the IOB2 labels of each sentence of a file.

    Raises ValueError, with file and line, for a line that is not a word, a tab and a label.
    """
    words: list[str] = []
    labels: list[str] = []
    for number, line in enumerate([*path.read_text(encoding="utf8").split("\n"), ""], 1):
        if not line:
            if words:
                yield words, labels
            words, labels = [], []
            continue
        word, tab, label = line.partition("\t")
        if not (word and tab and _LABEL.fullmatch(label)):
            raise ValueError(f"{path}, line {number}: {line!r} is not a word, a tab and a label")
        words.append(word)
        labels.append(label)


def to_doc(words: list[str], labels: list[str], vocab: Vocab) -> Doc:
    """Make a Doc with entities from the words; spaces between words are unknown."""
    doc = Doc(vocab, words=words)
    spans = [Span(doc, start, end, label) for start, end, label in bio_to_spans(labels)]
    doc.set_ents(spans, default="outside")
    return doc


def write_field(source: Path, output: Path) -> dict[str, dict[str, int]]:
    """Write one corpus: train.spacy, dev.spacy, test.spacy and corpus.json; returns its sizes.

    Raises FileNotFoundError where a part is missing, ValueError where one cannot be read.
    """
    vocab = Vocab()
    files = [source / f"{part}.conll" for part in PARTS]
    parts = {
        path.stem: [to_doc(words, labels, vocab) for words, labels in read_sentences(path)]
        for path in files
    }
    sizes = {
        part: {
            "sentences": len(docs),
            "tokens": sum(len(doc) for doc in docs),
            "entities": sum(len(doc.ents) for doc in docs),
        }
        for part, docs in parts.items()
    }
    output.mkdir(parents=True, exist_ok=True)
    for part, docs in parts.items():
        with atomic_file(output / f"{part}.spacy") as temporary:
            DocBin(attrs=_ATTRS, docs=docs).to_disk(temporary)
    description = {
        "name": source.name,
        "sources": [{"file": path.name, "sha256": sha256_of(path)} for path in files],
        "parts": sizes,
    }
    with atomic_file(output / CORPUS_FILE) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + "\n", encoding="utf8")
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(named) if named else None)
    parser.add_argument("--output", type=Path, default=Path("corpus/fields"))
    args = parser.parse_args()
    if args.folder is None:
        parser.error(f"name the folder of the corpora, here or in {ENVIRONMENT_VARIABLE}")
    sources = sorted(path.parent for path in args.folder.glob("*/train.conll"))
    if not sources:
        parser.error(f"no */train.conll in {args.folder}")
    for source in sources:
        sizes = write_field(source, args.output / source.name)
        shown = " / ".join(f"{sizes[part]['sentences']:,}" for part in PARTS)
        print(f"Wrote {args.output / source.name}: {shown} sentences")


if __name__ == "__main__":
    main()
