"""Write a table of word vectors as spaCy's own, so that spaCy's CNN can be given the same ones.

    python -m benchmarks.cnn_vectors [--name glove-en] [--texts corpus] [--output training/vectors]

The packaged table holds words in lower case, and WordVectors.v1 finds "Paris" by "paris". spaCy
finds words as they are written: vectors may be looked up by LOWER, but saving them forgets that. So
each word of the texts, as it is and in other case, is a key of its own for the same vector.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import spacy
from spacy.strings import get_string_id
from spacy.tokens import DocBin
from spacy.vectors import Vectors

from spacy_elmo_ner.vectors.shared import shared_table


def forms_in(texts: Path) -> set[str]:
    """Return the words of all .spacy files below a folder, as they are and in other case.

    Raises SystemExit if there are none: words as they are written would have no vector, which
    would only show in the scores.
    """
    paths = sorted(texts.rglob("*.spacy"))
    if not paths:
        raise SystemExit(f"{texts} holds no .spacy files: run `python -m spacy elmo corpus` first")
    vocab = spacy.blank("en").vocab
    words = {
        token.text
        for path in paths
        for doc in DocBin().from_disk(path).get_docs(vocab)
        for token in doc
    }
    return {form for word in words for form in (word, word.lower(), word.upper(), word.title())}


def write_vectors(name: str, forms: Iterable[str], output: Path) -> int:
    """Write a pipeline that holds nothing but the table's vectors; return the number of keys.

    forms: words that are found by the vector of the word in lower case.
    """
    table = shared_table(name)
    rows = np.arange(len(table.keys)) if table.rows is None else table.rows
    nlp = spacy.blank("en")
    vectors = Vectors(data=table.values.take(rows), keys=table.keys, name=Path(name).name)
    for form in sorted(forms):  # the same file each time, which the yardstick's rows are known by
        row = vectors.find(key=get_string_id(form.lower()))
        if row >= 0:
            vectors.add(get_string_id(form), row=row)
    nlp.vocab.vectors = vectors
    output.parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(output)
    return vectors.n_keys


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", default="glove-en", help="a table by name, or its folder")
    parser.add_argument("--texts", type=Path, default=Path("corpus"), help="of .spacy files")
    parser.add_argument("--output", type=Path, default=Path("training/vectors"))
    args = parser.parse_args()
    forms = forms_in(args.texts)
    print(f"Wrote {write_vectors(args.name, forms, args.output):,} keys to {args.output}")


if __name__ == "__main__":
    main()
