import pytest


@pytest.fixture(autouse=True, params=[256, 1], ids=["whole", "pieces"])
def piece(request, monkeypatch):
    """Every law holds for documents walked in one piece and in many."""
    monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", request.param)
