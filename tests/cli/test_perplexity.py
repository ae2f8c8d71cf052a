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
from tests.conftest import TINY_BILM_CONFIG

CONFIG = """
[text]
paths = {paths}
n_vocabulary = 8
n_held_out = 2
[training]
batch_tokens = 100
max_steps = 2
softmax_cutoffs = [5]
bf16 = false
"""


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
    figures = ["backward", "forward", "mean", "n_tokens", "n_vocabulary", "oov"]
    assert sorted(found) == [*figures, "sources"]
    assert found["sources"] == [{"file": str(text), **{name: found[name] for name in figures}}]
    assert (found["n_tokens"], found["n_vocabulary"], found["oov"]) == (5, 6, pytest.approx(0.2))


def test_folders_of_text_are_measured_as_one(trained: Path, text: Path) -> None:
    (text.parent / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        (text.parent / "texts" / name).write_bytes(text.read_bytes())
    found = json.loads(_run(trained, text.parent / "texts", "--json").stdout)
    assert found["n_tokens"] == 10


def test_of_several_files_each_is_measured_by_itself(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("the cat sat\n")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "unknown.jsonl").write_text('{"text": "two dogs"}\n')
    files = [tmp_path / name for name in ("known.txt", "empty.txt", "unknown.jsonl")]
    found = json.loads(_run(trained, *files, "--json").stdout)
    whole, sources = found, found["sources"]
    assert [Path(source["file"]).name for source in sources] == ["known.txt", "unknown.jsonl"]
    assert [(source["n_tokens"], source["oov"]) for source in sources] == [(3, 0.0), (2, 1.0)]
    assert whole["oov"] == pytest.approx(0.4)
    # 4 predictions of the one, with the mark, and 3 of the other.
    product = sources[0]["forward"] ** 4 * sources[1]["forward"] ** 3
    assert whole["forward"] == pytest.approx(product ** (1 / 7))
    table = _run(trained, *files).stdout
    assert re.search(r"unknown\.jsonl\s+[\d.]+\s+[\d.]+\s+100\.00%\s+2", table), table


def test_without_text_a_run_is_measured_on_what_it_held_out(tmp_path: Path) -> None:
    for name, words in (("a.txt", "one two three"), ("b.txt", "two three four five")):
        (tmp_path / name).write_text(f"{words}\n" * 40)
    config = tmp_path / "run.cfg"
    # Read twice, a.txt is measured once.
    paths = [str(tmp_path / name) for name in ("a.txt", "a.txt", "b.txt")]
    config.write_text(CONFIG.format(paths=json.dumps(paths)) + TINY_BILM_CONFIG)
    run = tmp_path / "run"
    done = CliRunner().invoke(elmo_cli, ["pretrain", str(config), "--output", str(run)])
    assert done.exit_code == 0, done.output
    found = json.loads(_run(run, "--json").stdout)
    sizes = [(source["file"], source["n_tokens"]) for source in found["sources"]]
    assert sizes == [("a.txt", 2 * 3), ("b.txt", 2 * 4)]
    for content, code in ((None, "EL422"), ("{", "EL423"), ('{"n_held_out": 0}', "EL424")):
        (run / "text.json").unlink()
        if content is not None:
            (run / "text.json").write_text(content)
        result = _run(run)
        assert result.exit_code == 1 and f"[{code}]" in result.output, result.output
        (run / "text.json").touch()


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
