"""A pipeline that was saved by 0.1.0 loads, and its layers are those it was trained with."""

from pathlib import Path

import pytest
import spacy

SAVED = Path(__file__).parent / "en_elmo_gmb_sm-0.1.0"


def test_a_newer_default_model_adds_nothing_to_a_saved_one() -> None:
    """spaCy fills a saved block with what the default has more, where both name one function."""
    nlp = spacy.load(SAVED)
    assert "WordVectors" not in nlp.config.to_str()
    ner = nlp.get_pipe("elmo_ner")
    assert not any(node.name == "word_vectors" for node in ner.model.walk())


def test_it_finds_what_it_found() -> None:
    doc = spacy.load(SAVED)("President George Bush visited Paris, London and Rome before June.")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("President George Bush", "per"),
        ("Paris", "geo"),
        ("London", "geo"),
        ("Rome", "geo"),
        ("June", "tim"),
    ]
    assert doc.ents[1]._.confidence == pytest.approx(0.98662, abs=1e-4)
