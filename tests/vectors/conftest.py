"""Small tables of vectors, and a folder that spaCy saved some to."""

from pathlib import Path

import numpy as np
import pytest
from spacy.strings import get_string_id
from spacy.vectors import Vectors

from spacy_elmo_ner.vectors.quantize import PlainValues
from spacy_elmo_ner.vectors.table import VectorTable, table_of

WORDS = ["the", "cat", "Paris", "paris", "case", "root"]


@pytest.fixture
def vectors() -> np.ndarray:
    """A vector of 4 values for each of `WORDS`."""
    return np.random.default_rng(0).normal(size=(len(WORDS), 4)).astype("f")


@pytest.fixture
def table(vectors) -> VectorTable:
    return table_of(np.array([get_string_id(w) for w in WORDS], "u8"), None, PlainValues(vectors))


@pytest.fixture
def spacy_folder(tmp_path: Path, vectors) -> Path:
    """Written by spaCy; "sat" shares the vector of "cat"."""
    spacys = Vectors(data=vectors, keys=[get_string_id(word) for word in WORDS])
    spacys.add(get_string_id("sat"), row=WORDS.index("cat"))
    spacys.to_disk(tmp_path / "vectors")
    return tmp_path / "vectors"
