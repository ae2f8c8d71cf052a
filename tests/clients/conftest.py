"""The packaged pipeline, as programs that were written for en_core_web_sm use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin, Span

PIPELINE = Path(__file__).parents[2] / "assets/pipelines/en_elmo_gmb_sm"

TEXT = (
    "Kenyan President Mwai Kibaki met United Nations officials in Nairobi on Tuesday. "
    "The officials had asked for the old roads between Kenya and Somalia to be repaired. "
    "Mr. Kibaki said the new roads were repaired last year."
)


@pytest.fixture
def nlp() -> Iterator[Language]:
    """Load it anew for each test: clients add pipes and rename some."""
    yield spacy.load(PIPELINE)


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .spacy file of two texts with entities."""
    nlp = spacy.blank("en")
    doc = nlp("Mwai Kibaki met Angela Merkel in Berlin on Tuesday.")
    doc.set_ents(
        [Span(doc, 0, 2, "per"), Span(doc, 3, 5, "per"), Span(doc, 6, 7, "geo")],
        default="outside",
    )
    other = nlp("Nobody came.")
    other.set_ents([], default="outside")
    path = tmp_path_factory.mktemp("gold") / "gold.spacy"
    DocBin(docs=[doc, other]).to_disk(path)
    return path
