import json
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.cli._util import app
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.log import Log
from tests.conftest import TINY_BILM_CONFIG

CONFIG = """
[text]
paths = ["{path}"]
n_vocabulary = 50
[training]
batch_tokens = 100
max_epochs = 1
softmax_cutoffs = [10]
checkpoint_every = 1
bf16 = false
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "texts" / "a.txt"
    path.parent.mkdir()
    path.write_text("The cat sat .\nIn London , it rained all day .\n" * 20)
    return path


@pytest.fixture
def config(tmp_path: Path, text: Path) -> Path:
    path = tmp_path / "run.cfg"
    path.write_text(CONFIG.format(path=text) + TINY_BILM_CONFIG)
    return path


def _run(*args: Any) -> Result:
    return CliRunner().invoke(elmo_cli, ["pretrain", *map(str, args)])


def test_a_config_becomes_a_biLM_that_a_pipeline_names(config: Path, tmp_path: Path) -> None:
    result = _run(config, "--output", tmp_path / "bilm")
    assert result.exit_code == 0, result.output
    assert f'"name": "{tmp_path / "bilm"}"'.replace('"', "'") in result.output.replace("\n", "")
    assert "held-out perplexity" in result.output
    assert "Read 1 file: 40 sentences, 240 tokens, 11 distinct words" in result.output
    assert "Held out: 4 sentences, 24 tokens, 0.00% of them outside" in result.output
    assert (tmp_path / "bilm" / "curves.png").read_bytes().startswith(b"\x89PNG")
    model = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(tmp_path / "bilm")}
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo", config={"model": model})
    nlp.initialize()
    assert len(nlp("The cat")) == 2


def test_a_folder_of_text_trains_with_settings_of_its_own(text: Path, tmp_path: Path) -> None:
    text.write_text("The cat sat .\nIn London , it rained .\n" * 6)
    result = _run(text.parent, "--output", tmp_path / "bilm", "--threads", 1)
    assert result.exit_code == 0, result.output
    assert "Training for 10 passes" in result.output and "Read 1 file:" in result.output
    assert BiLM.from_disk(tmp_path / "bilm").options.width == 256


def test_an_interrupted_run_goes_on_with_resume(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Log.append

    def stop(log: Log, row: dict[str, Any]) -> None:
        append(log, row)
        if row["step"] == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Log, "append", stop)
        result = _run(config, "-o", tmp_path / "bilm")
    assert result.exit_code == 130 and "--resume" in result.output
    refused = _run(config, "-o", tmp_path / "bilm")
    assert refused.exit_code == 1 and "EL408" in refused.output
    result = _run(config, "-o", tmp_path / "bilm", "--resume")
    assert result.exit_code == 0, result.output
    rows = (tmp_path / "bilm" / "log.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == list(range(1, len(rows) + 1))


def test_without_matplotlib_a_run_ends_well_and_says_what_is_missing(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spacy_elmo_ner.comparison.report.curves", None)
    result = _run(config, "-o", tmp_path / "bilm")
    assert result.exit_code == 0, result.output
    assert 'pip install "spacy-elmo-ner[project]"' in " ".join(result.output.split())
    assert (tmp_path / "bilm" / "weights.safetensors").is_file()


def test_settings_of_a_config_can_be_given_as_options(config: Path, tmp_path: Path) -> None:
    config.write_text(
        config.read_text().replace("[text]", '[paths]\ncorpus = "nowhere"\n[text]', 1)
    )
    result = _run(config, "--training.max_steps", 2, "-o", tmp_path / "bilm", "--paths.corpus=here")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "bilm" / "log.jsonl").read_text().splitlines()) == 2


def test_settings_of_a_block_that_the_config_leaves_out(config: Path, tmp_path: Path) -> None:
    assert "[silver]" not in config.read_text()
    result = _run(config, "--silver.pipeline", "no_such_pipeline", "-o", tmp_path / "bilm")
    assert result.exit_code == 1 and "no_such_pipeline" in result.output


def test_an_empty_setting_given_as_an_option_stays_empty(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + '\n[silver]\npipeline = "no_such_pipeline"\n')
    result = _run(config, "--training.max_steps", 1, "-o", tmp_path / "a")
    assert result.exit_code == 1 and "no_such_pipeline" in result.output
    result = _run(config, "--training.max_steps", 1, "-o", tmp_path / "b", "--silver.pipeline", "")
    assert result.exit_code == 0, result.output
    assert "silver" not in (tmp_path / "b" / "log.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--treads", "2"], "[EL427] --treads is not an option"),
        (["--training.max_steps", "many"], "max_steps is 'many', not of type int"),
        (["--training.steps", "3"], "[training] has no setting 'steps'"),
    ],
)
def test_an_option_that_is_none_is_named(
    config: Path, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    result = _run(config, "-o", tmp_path / "bilm", *arguments)
    assert result.exit_code == 1
    assert problem in " ".join(result.output.split())


def test_text_files_take_no_settings(text: Path, tmp_path: Path) -> None:
    result = _run(text, "-o", tmp_path / "bilm", "--training.max_steps", 3)
    assert result.exit_code == 1 and "EL427" in result.output


def test_threads_are_set(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    assert _run(config, "-o", tmp_path / "a", "--threads", 2).exit_code == 0
    assert asked == [2]
    assert _run(config, "-o", tmp_path / "b", "--threads", 0).exit_code == 2


def test_wrong_input_is_one_message_without_a_traceback(config: Path, tmp_path: Path) -> None:
    output = tmp_path / "bilm"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\xff\xff")
    (tmp_path / "wrong.cfg").write_text("[text]\nfiles = []\n")
    for sources, code in (
        ([tmp_path / "none.txt"], "EL401"),
        ([tmp_path / "none.cfg"], "EL401"),
        ([tmp_path / "empty.txt"], "EL402"),
        ([tmp_path / "picture.txt"], "EL403"),
        ([tmp_path / "wrong.cfg"], "EL405"),
        ([tmp_path / "empty"], "EL413"),
        ([config, tmp_path / "empty.txt"], "EL511"),
    ):
        result = _run(*sources, "-o", output)
        assert result.exit_code == 1 and f"[{code}]" in result.output, result.output
    assert not (output / "weights.safetensors").exists()


def test_help_says_what_goes_in_and_comes_out() -> None:
    environment = {"COLUMNS": "200"}  # with rich, typer draws boxes
    result = CliRunner().invoke(app, ["elmo", "pretrain", "--help"], env=environment)
    output = " ".join(result.output.replace("\u2502", " ").split())
    blocks = "the blocks text, training, silver and bilm"
    for words in (blocks, "one sentence or paragraph per line", "--resume"):
        assert words in output


def test_weights_to_start_from_bring_their_shape(config: Path, text: Path, tmp_path: Path) -> None:
    assert _run(config, "--output", tmp_path / "bilm").exit_code == 0
    result = _run(text.parent, "--init", tmp_path / "bilm", "--output", tmp_path / "own")
    assert result.exit_code == 0, result.output
    assert BiLM.from_disk(tmp_path / "own").options == BiLM.from_disk(tmp_path / "bilm").options
    refused = _run(config, "--init", "small-en", "--output", tmp_path / "other")
    assert refused.exit_code == 1 and "EL420" in refused.output
