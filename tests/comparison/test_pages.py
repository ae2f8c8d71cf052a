from pathlib import Path

import pytest

from spacy_elmo_ner.comparison.pages import read_benchmark, update_page


def test_a_page_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    assert update_page(page, "new", "make pages", check=True) == 1
    assert not page.exists() and "out of date. Run: make pages" in capsys.readouterr().out
    assert update_page(page, "new", "make pages", check=False) == 0
    assert page.read_text(encoding="utf8") == "new"
    assert update_page(page, "new", "make pages", check=True) == 0
    assert update_page(page, "newer", "make pages", check=True) == 1
    assert page.read_text(encoding="utf8") == "new"


def test_results_may_be_missing(tmp_path: Path) -> None:
    assert read_benchmark(tmp_path / "none.json") is None
    (tmp_path / "some.json").write_text("{}", encoding="utf8")
    assert read_benchmark(tmp_path / "some.json") == {}
