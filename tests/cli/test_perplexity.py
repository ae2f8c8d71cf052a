import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from spacy.cli._util import app
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.objective import LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.train import write_language_model


@pytest.fixture
def trained(tmp_path: Path, make_bilm: Callable[..., BiLM]) -> Path:
    """A folder as `elmo pretrain` leaves it, of a model that finds all words equally likely."""
    vocabulary = Vocabulary.most_frequent(["the", "cat", "sat"], 6)
    model = LanguageModel(make_bilm(), len(vocabulary), [3])
    with torch.no_grad():
        for parameter in model.softmax.parameters():
            parameter.zero_()
    write_language_model(model, vocabulary, tmp_path / "trained")
    return tmp_path / "trained"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("the cat\nthe dog sat\n")
    return path


def _run(*args: Any) -> Result:
    return CliRunner().invoke(elmo_cli, ["perplexity", *map(str, args)])


def test_the_table_shows_both_directions_and_what_they_compare_over(
    trained: Path, text: Path
) -> None:
    result = _run(trained, text)
    assert result.exit_code == 0, result.output
    table = dict(re.findall(r"^(\S.*?)\s{2,}(\S.*?)\s*$", result.stdout, re.MULTILINE))
    # 7 predictions: 4 words of the tail, 1 of 4 places times 1 of 3; the rest 1 of 4.
    expected = (12**4 * 4**3) ** (1 / 7)
    for direction in ("forward", "backward", "mean"):
        assert float(table[f"Perplexity {direction}"]) == pytest.approx(expected, abs=0.01)
    assert table["Vocabulary"] == "6 words"
    assert table["Outside it"] == "20.00% of tokens"
    assert table["Tokens"] == "5"


def test_json_is_all_that_is_printed(trained: Path, text: Path) -> None:
    result = _run(trained, text, "--json")
    found = json.loads(result.stdout)
    assert sorted(found) == ["backward", "forward", "mean", "n_tokens", "n_vocabulary", "oov"]
    assert (found["n_tokens"], found["n_vocabulary"], found["oov"]) == (5, 6, pytest.approx(0.2))


def test_folders_of_text_are_measured_as_one(trained: Path, text: Path) -> None:
    (text.parent / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        (text.parent / "texts" / name).write_bytes(text.read_bytes())
    found = json.loads(_run(trained, text.parent / "texts", "--json").stdout)
    assert found["n_tokens"] == 10


def test_wrong_input_is_one_message_without_a_traceback(
    trained: Path, text: Path, bilm_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").touch()
    for folder, source, code in (
        (bilm_dir, text, "EL407"),
        (tmp_path / "none", text, "EL407"),
        (trained, tmp_path / "none.txt", "EL401"),
        (trained, tmp_path / "empty.txt", "EL402"),
    ):
        result = _run(folder, source)
        assert result.exit_code == 1 and f"[{code}]" in result.output, result.output


def test_help_warns_of_comparing_over_two_vocabularies() -> None:
    assert "same vocabulary and text" in " ".join(
        CliRunner().invoke(app, ["elmo", "perplexity", "--help"]).output.split()
    )
