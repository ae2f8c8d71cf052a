"""scripts/readme_tables.py by its main function."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from spacy_elmo_ner.comparison.results import (
    CorpusResult,
    PipelineInfo,
    Results,
    Score,
    SystemScores,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "readme_tables.py"


@pytest.fixture
def script() -> Callable[..., int]:
    spec = importlib.util.spec_from_file_location("readme_tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda *arguments: module.main([str(each) for each in arguments])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    corpus = CorpusResult("c/test.spacy", "sample", "test", 3, 30, 5, systems=[])
    path.write_text(Results("2026-01-02", {}, [], [], [corpus]).to_json(), encoding="utf8")
    return path


def test_check_fails_until_the_readme_is_written(script, results, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- results:begin -->\n<!-- results:end -->\n", encoding="utf8")
    assert script(results, "--readme", readme, "--check") == 1
    assert "out of date" in capsys.readouterr().out
    assert script(results, "--readme", readme) == 0
    assert "sample, test: 3 texts" in readme.read_text(encoding="utf8")
    assert script(results, "--readme", readme, "--check") == 0


@pytest.mark.parametrize(("text", "message"), [("nothing here", "EL316"), (None, "README.md")])
def test_a_readme_without_marks_or_none_at_all_is_an_error(
    text, message, script, results, tmp_path, capsys
):
    readme = tmp_path / "README.md"
    if text is not None:
        readme.write_text(text, encoding="utf8")
    assert script(results, "--readme", readme) == 2
    assert message in capsys.readouterr().err


def test_pictures_are_drawn_and_linked_as_seen_from_the_readme(script, tmp_path):
    score = Score(0.5, 0.5, 0.5, 4, {"geo": Score(0.5, 0.5, 0.5, 4)})
    info = PipelineInfo("ours", "x", "en_x", "1.0", ["ner"], [], 10)
    corpus = CorpusResult(
        "c/test.spacy", None, "test", 3, 30, 5, [SystemScores("ours", {"seqeval_default": score})]
    )
    results = tmp_path / "results.json"
    results.write_text(Results("2026-01-02", {}, [info], [], [corpus]).to_json(), encoding="utf8")
    readme = tmp_path / "README.md"
    readme.write_text("<!-- results:begin -->\n<!-- results:end -->\n", encoding="utf8")
    arguments = (results, "--readme", readme, "--pictures", tmp_path / "docs" / "pictures")
    assert script(*arguments) == 0
    assert (tmp_path / "docs" / "pictures" / "types.png").is_file()
    assert "](docs/pictures/types.png)" in readme.read_text(encoding="utf8")
    assert script(*arguments, "--check") == 0
