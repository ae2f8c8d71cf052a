"""A pipeline on a biLM of 2 units, and three annotated sentences it can learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.training import Example
from thinc.api import fix_random_seed

SENTENCES = [
    (
        "President John Smith met Reuters in Paris .",
        "NNP NNP NNP VBD NNP IN NNP .",
        [(0, 3, "per"), (4, 5, "org"), (6, 7, "geo")],
    ),
    ("Nothing happened there .", "NN VBD RB .", []),
    ("Mary Smith left Paris", "NNP NNP VBD NNP", [(0, 2, "per"), (3, 4, "geo")]),
]


def make_examples(nlp: Language) -> list[Example]:
    examples = []
    for text, tags, ents in SENTENCES:
        words = text.split()
        reference = Doc(nlp.vocab, words=words, tags=tags.split())
        reference.set_ents([Span(reference, *ent) for ent in ents], default="outside")
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


# Trained pipelines by what was asked for: (config, bytes). Training one takes a second or more.
_trained: dict[tuple, tuple[dict, bytes]] = {}


@pytest.fixture
def make_nlp(bilm_dir: Path) -> Callable[..., Language]:
    """Builds ``en`` with these pipes, their heads small, initialized and trained for some steps.

    version: of the architecture that gives the heads vectors, ElmoTok2Vec or ElmoListener.
    decoder, transitions: of all heads; without them each has its own default.
    """

    def make(
        *pipes: str,
        decoder: str | None = None,
        transitions: str | None = None,
        steps: int = 0,
        listener: bool = False,
        version: int = 1,
        **elmo: Any,
    ) -> Language:
        key = (pipes, decoder, transitions, steps, listener, version)
        if steps and not elmo and key in _trained:
            config, data = _trained[key]
            return spacy.blank("en").from_config(config).from_bytes(data)
        fix_random_seed(0)  # what other tests drew before must not matter
        nlp = spacy.blank("en")
        bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
        for pipe in pipes:
            if pipe == "elmo":
                nlp.add_pipe("elmo", config={"model": bilm, **elmo})
                continue
            tok2vec = {"@architectures": f"spacy_elmo_ner.ElmoTok2Vec.v{version}", "bilm": bilm}
            if listener:
                tok2vec = {"@architectures": f"spacy_elmo_ner.ElmoListener.v{version}", "width": 4}
            encoder = {"units": 12, "dropout": 0.0, "recurrent_dropout": 0.0}
            model = {"tok2vec": tok2vec, "encoder": encoder}
            if decoder is not None:
                model["decoder"] = decoder
            if transitions is not None:
                model["transitions"] = transitions
            nlp.add_pipe(pipe, config={"model": model})
        optimizer = nlp.initialize(lambda: make_examples(nlp))
        optimizer.learn_rate = 0.02
        for _ in range(steps):
            nlp.update(make_examples(nlp), sgd=optimizer)
        if steps and not elmo:
            _trained[key] = nlp.config.copy(), nlp.to_bytes()
        return nlp

    return make


def annotation(doc: Doc) -> list:
    """Everything our pipes say about a Doc, for comparing two pipelines; scores to 1e-5."""
    ents = [(ent.start, ent.end, ent.label_, _score(ent, "confidence")) for ent in doc.ents]
    tags = [(token.tag_, _score(token, "tag_confidence")) for token in doc]
    return [ents, tags]


class Score(float):
    """Equal to what differs by no more than rounding: batches of other sizes sum differently."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) < 1e-5

    __hash__ = None  # type: ignore[assignment]


def _score(annotated: Span | Token, name: str) -> Score | None:
    value = annotated._.get(name) if annotated._.has(name) else None
    return None if value is None else Score(value)
