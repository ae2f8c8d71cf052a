"""``python -m spacy elmo complete``: give a pipeline sentences, coarse tags and lemmas."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.pipelines import bytes_under
from ..pipeline.complete import complete_folder
from .compact import Meta, Output


def complete_cli(
    pipeline: Annotated[
        Path, typer.Argument(help="Folder of a pipeline with elmo and elmo_tagger")
    ],
    output: Output,
    senter: Annotated[
        Path, typer.Option(help="Folder of a senter that configs/senter.cfg trained on its elmo")
    ],
    sentences: Annotated[
        Path | None,
        typer.Option(
            help="File (.spacy) of single sentences: joined into texts, they score the senter, and "
            "meta.json keeps the scores"
        ),
    ] = None,
    meta: Meta = None,
) -> None:
    """Add what programs for en_core_web_sm ask for: sentences, coarse tags, lemmas.

    The pipeline gains senter, attribute_ruler and lemmatizer after its tagger, so that
    doc.sents, token.pos_, token.morph, token.lemma_ and doc.noun_chunks are set. Needs
    spacy-lookups-data here, but not where the finished pipeline is used.

    Example:

    python -m spacy elmo complete training/elmo/model-best whole --senter training/senter/model-best
    """
    try:
        scores = complete_folder(pipeline, senter, output, sentences, meta)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    before, after = (bytes_under(folder) / 1e6 for folder in (pipeline, output))
    msg.good(f"Wrote {output}: {after:.1f} MB, from {before:.1f} MB")
    if scores:
        msg.table({name: f"{100 * score:.2f}" for name, score in scores.items()})
