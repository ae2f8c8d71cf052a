"""Write a table of word vectors as spaCy's own, so that spaCy's CNN can be given the same ones.

    python -m benchmarks.cnn_vectors [--name glove-en] [--output training/vectors]

spaCy looks words up by one attribute. The packaged table holds words in lower case, so that
attribute is LOWER: the CNN finds a vector for every word that WordVectors.v1 finds one for.
"""

import argparse
from pathlib import Path

import numpy as np
import spacy
from spacy.vectors import Vectors

from spacy_elmo_ner.vectors.shared import shared_table


def write_vectors(name: str, output: Path) -> int:
    """Write a pipeline that holds nothing but the table's vectors; returns their number."""
    table = shared_table(name)
    rows = np.arange(len(table.keys)) if table.rows is None else table.rows
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(
        data=table.values.take(rows), keys=table.keys, name=Path(name).name, attr="LOWER"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(output)
    return len(table.keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", default="glove-en", help="a table by name, or its folder")
    parser.add_argument("--output", type=Path, default=Path("training/vectors"))
    args = parser.parse_args()
    print(f"Wrote {write_vectors(args.name, args.output):,} vectors to {args.output}")


if __name__ == "__main__":
    main()
