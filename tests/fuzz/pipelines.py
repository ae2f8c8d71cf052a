"""A small pipeline of all our pipes, and Docs that no corpus has."""

import random
import string
from collections.abc import Sequence
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import fix_random_seed

from tests.conftest import random_bilm
from tests.pipeline.conftest import make_examples

# Empty and blank words, marks of the biLM, every script's odd corners. spaCy refuses "".
PIECES = [
    *(" ", "\n", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\0", "\x85", "\u2028", "\x7f"),
    *(
        "<S>",
        "</S>",
        "<UNK>",
        "e\u0301",
        "a" + "\u0308" * 40,
        "\u05e9\u05dc\u05d5\u05dd",
        "\u202eabc",
    ),
    *("\u0645\u0631\u062d\u0628\u0627", "\u0e01\u0e33", "\u65e5\u672c\u8a9e", "\U0001f600"),
    *(
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1e9\U0001f1ea",
        "\U000e0041",
        "\U0010ffff",
    ),
    *(
        "\ufffe",
        "\ufdfa",
        "I\u0307",
        "\ufb03",
        "x" * 10_000,
        "\U0001f600" * 2_500,
        "don't",
        "B-per",
    ),
]
SENTENCES = ["Mary Smith left Paris", "President John Smith met Reuters in Paris ."]


def make_pipeline(bilm: str, units: int = 12, steps: int = 30, trainable: bool = False) -> Language:
    """elmo, elmo_tagger and elmo_ner on a biLM by name, trained a little on 3 sentences."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": bilm}
    nlp.add_pipe("elmo", config={"model": model, "keep_layers": True, "trainable": trainable})
    width = nlp.get_pipe("elmo").model.get_dim("nO")
    tok2vec = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": width}
    encoder = {"units": units, "dropout": 0.0, "recurrent_dropout": 0.0}
    for pipe in ("elmo_tagger", "elmo_ner"):
        nlp.add_pipe(pipe, config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    optimizer.learn_rate = 0.02 if units < 100 else 0.002
    for _ in range(steps):
        nlp.update(make_examples(nlp), sgd=optimizer)
    nlp.get_pipe("elmo").forget_layers()
    return nlp


def tiny_pipeline(folder: Path) -> Language:
    """Every part that a real one has, on a biLM of 2 units: quick."""
    random_bilm().to_disk(folder / "bilm")
    return make_pipeline(str(folder / "bilm"))


def shipped_pipeline() -> Language:
    """The size that people use: `small-en`, heads of the default size."""
    return make_pipeline("small-en", units=256, steps=10)


def odd_words(rng: random.Random) -> list[str]:
    """The words of one Doc: none, one, or some dozens; now and then more than one window."""
    n = rng.choice((0, 1, 1, 2, 5, 20, rng.randrange(100), rng.randrange(600, 1400)))
    if n > 600 and rng.random() < 0.9:
        n = 7
    return [_word(rng) for _ in range(n)]


def _word(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(PIECES)
    if kind < 0.7:
        return rng.choice(rng.choice(SENTENCES).split())
    if kind < 0.8:
        return "".join(rng.choices(string.printable, k=rng.randrange(1, 12)))
    return "".join(_character(rng) for _ in range(rng.randrange(1, 8)))


def _character(rng: random.Random) -> str:
    code = rng.choice((rng.randrange(0x300), rng.randrange(0x3000), rng.randrange(0x110000)))
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


def problem(nlp: Language, doc: Doc, words: Sequence[str]) -> str | None:
    """What is wrong with a Doc that this pipeline annotated, or None."""
    layers = doc._.elmo
    if [token.text for token in doc] != list(words):
        return "its words have changed"
    if layers.shape != (3, len(words), nlp.get_pipe("elmo").model.get_dim("nO")):
        return f"its layers have shape {layers.shape}"
    if not (abs(layers) < 1e6).all():  # false for NaN as well
        return "a vector is not finite"
    if not all(token.tag_ and 0 <= token._.tag_confidence <= 1 for token in doc):
        return "a token has no tag"
    labels = nlp.get_pipe("elmo_ner").labels
    end = 0
    for ent in doc.ents:
        if ent.label_ not in labels or not 0 <= ent._.confidence <= 1:
            return "an entity has no label or no probability"
        if ent[0].is_space or ent[-1].is_space:
            return "an entity begins or ends in white space"
        if not end <= ent.start < ent.end:
            return "entities overlap"
        end = ent.end
    return None
