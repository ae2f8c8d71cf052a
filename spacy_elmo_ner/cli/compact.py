"""``python -m spacy elmo compact``: a trained pipeline in half the room."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..pipeline.compact_folder import compact_folder


def compact_cli(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline")],
    output: Annotated[Path, typer.Argument(help="Folder to write; one that is there is replaced")],
) -> None:
    """Round the weights of elmo_ner and elmo_tagger to float16, which takes half the room.

    In memory they are float32 as before. The list of words seen in training is left out, if no
    pipe of another kind may need it. Score the result before you pass it on: rounding may change
    an annotation now and then.

    Example:

    python -m spacy elmo compact training/elmo/model-best training/elmo/compact
    """
    try:
        compact_folder(pipeline, output)
    except (OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    before, after = (_megabytes(folder) for folder in (pipeline, output))
    msg.good(f"Wrote {output}: {after:.1f} MB, from {before:.1f} MB")


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
