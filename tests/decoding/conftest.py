import pytest

from spacy_elmo_ner.decoding import walks


@pytest.fixture(
    autouse=True,
    params=[(256, False), (1, False), (256, True)],
    ids=["whole", "pieces", "compiled"],
)
def piece(request, monkeypatch):
    """Every law holds for documents walked in one piece, in many, and in compiled code."""
    size, compiled = request.param
    if compiled and walks._library() is None:
        pytest.skip("The library was not built.")
    monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", size)
    monkeypatch.setattr(walks, "enabled", compiled)
