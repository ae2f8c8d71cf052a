import sys

import pytest

from spacy_elmo_ner.comparison.footprint import footprint

from .conftest import gold_docs


def test_memory_is_of_the_pipelines_own_process(folder):
    # More than this test's own process would hold if it were counted in.
    ballast = b"x" * 800_000_000
    found = footprint(str(folder / "rules"), ["entity_ruler"], gold_docs(), 10)
    assert len(ballast) == 800_000_000
    assert 0 < found.load_seconds < 120
    if sys.platform == "linux":
        assert found.peak_bytes is not None
        assert 20e6 < found.peak_bytes < 800e6 + 20e6


def test_a_process_that_fails_reports_its_last_line(tmp_path):
    with pytest.raises(RuntimeError, match="E050"):
        footprint(str(tmp_path / "none"), [], [], 10)
