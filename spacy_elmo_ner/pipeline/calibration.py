"""Calibrate a trained pipeline on disk: read it, fit its pipes, write them back."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import spacy
import srsly
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..corpus.docbin import read_examples
from ..errors import Errors
from ..files import atomic_file
from .temperature import Calibration
from .token_classifier import BATCH_DOCS, TokenClassifier


def calibrate_folder(pipeline: Path, dev: Path) -> dict[str, Calibration | None]:
    """Calibrate each trained pipe of ours and write its temperature back; empty if there is none.

    A pipe for which dev has no gold, neither entities nor tags of its labels, keeps its
    temperature; its entry is None.

    This is a separate step after training, because nothing in spaCy's training loop hands a
    pipe the dev examples together with the averaged weights that are then saved: update() sees
    train alone, a scorer must not change what it scores, and before_to_disk gets no examples.
    Only the pipes' cfg files are written, each under another name and renamed, so an interrupted
    run leaves a whole pipeline. Raises OSError or ValueError for files that do not load.
    """
    for path in (pipeline, dev):
        if not path.exists():
            raise FileNotFoundError(Errors.EL520.format(path=path))
    nlp = spacy.load(pipeline)
    calibrations: dict[str, Calibration | None] = {}
    for name, pipe in nlp.pipeline:
        if isinstance(pipe, TokenClassifier):
            calibrations[name] = None
            if not _has_gold(pipe, read_examples(dev, nlp)):
                continue
            calibrations[name] = pipe.calibrate(
                as_pipe_gets_them(nlp, name, read_examples(dev, nlp))
            )
            with atomic_file(pipeline / name / "cfg") as temporary:
                srsly.write_json(temporary, pipe.cfg)
    return calibrations


def _has_gold(pipe: TokenClassifier, examples: Iterable[Example]) -> bool:
    """Return whether any token is annotated with one of the pipe's labels; stops at the first."""
    return any(pipe.has_label(pipe.gold_classes(example)) for example in examples)


def as_pipe_gets_them(nlp: Language, name: str, examples: Iterable[Example]) -> Iterator[Example]:
    """Yield the examples, their predicted Docs annotated by the pipes before this one.

    Pipes that only set entities or tags are left out: they take time and add nothing here.
    """
    names = nlp.pipe_names
    earlier = [
        earlier_name
        for earlier_name in names[: names.index(name)]
        if not isinstance(nlp.get_pipe(earlier_name), TokenClassifier)
    ]
    for batch in minibatch(examples, size=BATCH_DOCS):
        with nlp.select_pipes(enable=earlier):
            docs = list(nlp.pipe(example.predicted for example in batch))
        for example, doc in zip(batch, docs, strict=True):
            example.predicted = doc
            yield example
