"""A mark for tests of the project's own files, which an installed package does not have."""

from pathlib import Path

import pytest

needs_checkout = pytest.mark.skipif(
    not (Path(__file__).parents[1] / "spacy_elmo_ner").is_dir(),
    reason="needs the package's source beside the tests",
)
