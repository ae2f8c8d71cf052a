"""Save a trained pipeline for others: weights at half the size, no words of the training text."""

import json
from pathlib import Path
from typing import Any

import spacy

from ..corpus.docbin import read_examples
from ..errors import Errors, shown
from ..layers.half import round_weights
from .save import require_place, save_pipeline
from .token_classifier import TokenClassifier

# Scores of our heads; where a test file gives none of them, it is of no use.
HEAD_SCORES = ("ents_f", "tag_acc")

# What a person may say about a pipeline; spaCy fills in the rest of meta.json.
DESCRIBING = (
    "name",
    "version",
    "description",
    "author",
    "email",
    "url",
    "license",
    "sources",
    "spacy_version",
)


def compact_folder(
    pipeline: Path, output: Path, test: Path | None = None, meta: Path | None = None
) -> dict[str, Any]:
    """Save a pipeline again with the weights of its heads rounded to float16.

    test: a .spacy file on which the rounded pipeline is scored; these scores replace those of
    training in meta.json, and are returned. meta: a JSON file with any keys of `DESCRIBING`, for
    meta.json.

    spaCy's list of all strings seen in training is left out where no pipe needs it. Raises
    FileNotFoundError or ValueError for a folder without a pipe of ours, and for a test file on
    which no head can be scored (EL322, EL323, EL324); nothing is written then.
    """
    for path in (pipeline, test):
        if path is not None and not path.exists():
            raise FileNotFoundError(Errors.EL520.format(path=path))
    require_place(output)
    described = {} if meta is None else read_description(meta)
    nlp = spacy.load(pipeline)
    nlp.meta.update(described)
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)]
    if not pipes:
        raise ValueError(Errors.EL521.format(path=pipeline, do="round"))
    for pipe in pipes:
        round_weights(pipe.model)
    if test is not None:
        scores = nlp.evaluate(list(read_examples(test, nlp)))
        # Not the speed, which is that of the machine in that minute.
        performance = {key: scores[key] for key in scores if key != "speed"}
        if all(performance.get(name) is None for name in HEAD_SCORES):
            layers = "entities or tags"
            raise ValueError(Errors.EL324.format(path=test, layers=layers, do="score on"))
        nlp.meta["performance"] = performance
    save_pipeline(nlp, output)
    return nlp.meta.get("performance", {})


def read_description(path: Path) -> dict[str, Any]:
    """Read values for keys of `DESCRIBING`. Raises ValueError for anything else in the file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(data, dict):
            raise ValueError(f"it holds {type(data).__name__}")
        unknown = sorted(set(data) - set(DESCRIBING))
        if unknown:
            raise ValueError(f"it has {', '.join(unknown)}")
        for key, value in data.items():
            is_list = isinstance(value, list) and all(isinstance(one, dict) for one in value)
            if not (is_list if key == "sources" else isinstance(value, str)):
                kind = "a list of objects" if key == "sources" else "text"
                raise ValueError(f"{key!r} is {shown(value)}, not {kind}")
    except (OSError, ValueError, RecursionError) as error:
        problem = Errors.EL524.format(path=path, problem=error, keys=", ".join(DESCRIBING))
        raise ValueError(problem) from error
    return data
