"""Which command of the project in the current folder makes a file or folder that is missing."""

from pathlib import Path
from typing import Any

import srsly

PROJECT = Path("project.yml")


def command_for(output: str | Path) -> str | None:
    """The command of project.yml that lists this among its outputs, with its help; None for none.

    Only ever part of a message, so a project.yml that cannot be read is as good as none.
    """
    try:
        project = srsly.read_yaml(PROJECT)
        for command in project["commands"]:
            outputs = command.get("outputs", ())
            if Path(output).as_posix() in [_filled(each, project["vars"]) for each in outputs]:
                return f"`python -m spacy project run {command['name']}` ({command['help']})"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None


def _filled(text: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{vars.{name}}}", str(value))
    return text
