"""What tests of the biLM's parts share."""

from pathlib import Path

import pytest

from spacy_elmo_ner.elmo import compiled_cell


@pytest.fixture(scope="session")
def compiled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled cell; skips the test where there is no compiler."""
    try:
        return compiled_cell.compile_cell(tmp_path_factory.mktemp("compiled")).parent
    except OSError as err:
        pytest.skip(str(err))


@pytest.fixture(params=["torch", "compiled"])
def cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run the test on torch alone, and with the compiled cell."""
    compiled = request.param == "compiled"
    folder = request.getfixturevalue("compiled_folder") if compiled else tmp_path
    monkeypatch.setattr(compiled_cell, "FOLDER", folder)
