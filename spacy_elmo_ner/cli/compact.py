"""``python -m spacy elmo compact``: save a trained pipeline at half the size."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.pipelines import bytes_under
from ..pipeline.compact import compact_folder

# Arguments of this command that `elmo complete` has too.
Output = Annotated[Path, typer.Argument(help="Folder to write; an existing one is replaced")]
Meta = Annotated[
    Path | None,
    typer.Option(help="JSON file with name, version, description, license ... for meta.json"),
]

# The scores that are printed.
SCORES = ("ents_p", "ents_r", "ents_f", "tag_acc")


def compact_cli(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline")],
    output: Output,
    test: Annotated[
        Path | None,
        typer.Option(
            help="Annotated .spacy file to score the result on; meta.json keeps the scores"
        ),
    ] = None,
    meta: Meta = None,
) -> None:
    """Round the weights of elmo_ner and elmo_tagger to float16, which halves their size on disk.

    In memory they are float32 as before. The list of words seen in training is left out unless a
    pipe of another kind may need it. Rounding may change a few annotations: score the result with
    --test before you publish it.

    Example:

    python -m spacy elmo compact training/elmo/model-best small --test corpus/test.spacy
    """
    try:
        performance = compact_folder(pipeline, output, test, meta)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    before, after = (bytes_under(folder) / 1e6 for folder in (pipeline, output))
    msg.good(f"Wrote {output}: {after:.1f} MB, from {before:.1f} MB")
    if test is not None:
        scores = {name: performance[name] for name in SCORES if performance.get(name) is not None}
        msg.table({name: f"{100 * score:.2f}" for name, score in scores.items()})
