"""spacy-streamlit shows a pipeline whose `elmo_ner` is called `ner`."""

from pathlib import Path

import pytest
from spacy.language import Language

pytest.importorskip("spacy_streamlit")
testing = pytest.importorskip("streamlit.testing.v1")


def test_entities_are_shown(nlp: Language, tmp_path: Path) -> None:
    nlp.rename_pipe("elmo_ner", "ner")
    nlp.to_disk(tmp_path / "renamed")
    # With a colour, spacy-streamlit 1.0.6 calls a function that streamlit has no more.
    script = tmp_path / "page.py"
    script.write_text(
        "import spacy_streamlit\n"
        f"spacy_streamlit.visualize([{str(tmp_path / 'renamed')!r}], "
        "'Angela Merkel visited Nairobi.', visualizers=['ner', 'tokens'], color=None)\n",
        encoding="utf8",
    )
    page = testing.AppTest.from_file(str(script), default_timeout=60).run()
    assert not page.exception
    shown = " ".join(str(one.value) for one in page.markdown)
    assert "Nairobi" in shown and "geo" in shown and "per" in shown
