"""Saving a trained pipeline for others: half the weights' room, no words of the training text."""

from pathlib import Path
from typing import Any

import spacy
from spacy.training import Corpus

from ..errors import Errors
from ..layers.half import round_weights
from .elmo import Elmo
from .save import save_pipeline
from .token_classifier import TokenClassifier


def compact_folder(pipeline: Path, output: Path, test: Path | None = None) -> dict[str, Any]:
    """Save a pipeline again with the weights of its heads rounded to float16.

    test: a .spacy file to score it on, as it then is; meta.json has these scores in place of
    those of training, and they are returned.

    spaCy's list of all strings seen in training is left out where all pipes are ours, which do
    not need it. Raises FileNotFoundError or ValueError for a folder without a pipe of ours.
    """
    for path in (pipeline, test):
        if path is not None and not path.exists():
            raise FileNotFoundError(Errors.EL520.format(path=path))
    nlp = spacy.load(pipeline)
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)]
    if not pipes:
        raise ValueError(Errors.EL521.format(path=pipeline, do="round"))
    for pipe in pipes:
        round_weights(pipe.model)
    if test is not None:
        nlp.meta["performance"] = nlp.evaluate(list(Corpus(test)(nlp)))
    needed = any(not isinstance(pipe, Elmo | TokenClassifier) for _, pipe in nlp.pipeline)
    save_pipeline(nlp, output, exclude=[] if needed else ["vocab"])
    return nlp.meta.get("performance", {})
