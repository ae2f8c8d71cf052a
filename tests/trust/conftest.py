"""A small pipeline of all our pipes, once for all tests here."""

import pytest
from spacy.language import Language

from tests.fuzz.pipelines import tiny_pipeline


@pytest.fixture(scope="session")
def nlp(tmp_path_factory: pytest.TempPathFactory) -> Language:
    return tiny_pipeline(tmp_path_factory.mktemp("pipeline"))
