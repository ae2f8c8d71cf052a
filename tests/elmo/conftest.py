"""What tests of the biLM's parts share."""

import pytest

from spacy_elmo_ner.elmo import kernels


@pytest.fixture(params=["torch", "compiled"])
def cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test on torch alone, and with the compiled kernels where they were built."""
    compiled = request.param == "compiled"
    if compiled and kernels.library() is None:
        pytest.skip("The kernels were not built.")
    monkeypatch.setattr(kernels, "enabled", compiled)
