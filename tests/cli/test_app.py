"""A command's file is imported when it is called, not by every `python -m spacy`."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

import spacy_elmo_ner.cli
from spacy_elmo_ner.cli.app import COMMANDS, elmo_cli

LOADED = """
import sys
from importlib.metadata import entry_points
(point,) = [p for p in entry_points(group="spacy_cli") if p.value.startswith("spacy_elmo_ner")]
point.load()
print(*sorted(name for name in sys.modules if name.startswith("spacy_elmo_ner")))
"""


def test_no_command_is_imported_before_it_is_called() -> None:
    found = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [
        "spacy_elmo_ner",
        "spacy_elmo_ner.cli",
        "spacy_elmo_ner.cli.app",
    ]


def test_every_file_with_a_command_is_listed() -> None:
    folder = Path(spacy_elmo_ner.cli.__file__).parent
    sources = {path.stem: path.read_text(encoding="utf8") for path in folder.glob("*.py")}
    assert {name for name, text in sources.items() if f"def {name}_cli(" in text} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(elmo_cli, [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    function = getattr(import_module(f"spacy_elmo_ner.cli.{name}"), f"{name}_cli")
    first = (inspect.getdoc(function) or "").split("\n\n")[0]
    assert " ".join(first.split()) in " ".join(result.output.split())


def test_all_commands_are_listed_in_order() -> None:
    result = CliRunner().invoke(elmo_cli, ["--help"], env={"COLUMNS": "200"})
    # With rich, typer may draw boxes.
    lines = [line.strip("\u2502 ") for line in result.output.splitlines()]
    first_words = [line.split()[0] for line in lines if line]
    assert [word for word in first_words if word in COMMANDS] == list(COMMANDS)


def test_an_unknown_command_is_a_mistake_of_usage() -> None:
    result = CliRunner().invoke(elmo_cli, ["nothing"])
    assert result.exit_code == 2


def test_the_package_has_what_it_promises_and_nothing_else() -> None:
    from spacy_elmo_ner import BiLM
    from spacy_elmo_ner.elmo.bilm import BiLM as own

    assert BiLM is own
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = spacy_elmo_ner.nothing
