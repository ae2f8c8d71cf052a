"""docs/pretraining.md: its example does what it says, with less time to do it in."""

import json
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import spacy
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.corpus.sample import read_sample
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.config import SilverConfig, TextConfig, TrainingConfig

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf8")
SMALLER = {"max_steps": 2, "softmax_steps": 1, "batch_tokens": 200, "evaluate_every": 2}


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def _smaller(config: str) -> str:
    for name, value in SMALLER.items():
        config, n = re.subn(rf"^{name} = .*$", f"{name} = {value}", config, flags=re.MULTILINE)
        assert n == 1, name
    return config


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the example uses of a checkout, and a stranger's folder of text."""
    (tmp_path / "configs").mkdir()
    for name in ("pretrain-own-text.cfg", "elmo.cfg"):
        text = (ROOT / "configs" / name).read_text(encoding="utf8")
        (tmp_path / "configs" / name).write_text(_smaller(text) if "pretrain" in name else text)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "sample").symlink_to(ROOT / "assets" / "sample")
    (tmp_path / "texts").mkdir()
    sample = read_sample(ROOT / "assets" / "sample").train
    sentences = [" ".join(sentence.words) for sentence in sample]
    for number in range(2):
        lines = "\n".join(sentences[30 * number : 30 * number + 30])
        (tmp_path / "texts" / f"{number}.txt").write_text(lines, encoding="utf8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_ends_with_a_pipeline_on_the_readers_own_text(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _blocks("bash")[0]
    for command in commands.splitlines():
        python, _, module, app, *arguments = shlex.split(command)
        assert (python, module, app) == ("python", "spacy", "elmo")
        if arguments[0] == "train":
            arguments += ["--training.max_steps", "2", "--training.eval_frequency", "2"]
        result = CliRunner().invoke(elmo_cli, arguments)
        assert result.exit_code == 0, f"{command}\n{result.output}\n{result.exception!r}"
    own, small = BiLM.from_disk("own-bilm"), BiLM.from_pretrained("small-en")
    assert own.options == small.options
    change = (own.char_cnn.projection.weight - small.char_cnn.projection.weight).abs().max()
    assert 0 < change.item() < 0.1  # it went on from small-en, and not far in two steps
    code = _blocks("python")[0]
    found: dict[str, Any] = {"spacy": spacy}
    (checkout / "own-bilm").rename(checkout / "elsewhere")  # the pipeline is complete in itself
    exec(code, found)
    assert found["nlp"].pipe_names == ["elmo", "elmo_tagger", "elmo_ner"]
    assert all(token.tag_ for token in found["doc"])
    assert capsys.readouterr().out.startswith("[")


@pytest.mark.parametrize(
    ("block", "cls"), [("text", TextConfig), ("training", TrainingConfig), ("silver", SilverConfig)]
)
def test_every_setting_is_listed_with_its_default(block: str, cls: type) -> None:
    rows = PAGE.split(f"| `[{block}]` |")[1].split("\n\n")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", rows, re.MULTILINE))
    assert list(listed) == [field.name for field in fields(cls)]
    for name, shown in listed.items():
        default = getattr(cls(), name)
        assert json.loads(shown) == (list(default) if isinstance(default, tuple) else default), name
