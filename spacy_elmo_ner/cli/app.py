"""``python -m spacy elmo``: add the package's commands to spaCy's own command line.

Every `python -m spacy` imports this file, whatever its command is. The commands' own files are
imported when one of them is called, or listed by `python -m spacy elmo --help`.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import typer
from spacy.cli._util import app
from typer.core import TyperGroup
from typer.main import get_command

# Settings of a config can be given to these as options.
_CONFIG_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}

# Commands in the order they are listed, with settings of their context. The command `x` is the
# function `x_cli` of the file `x.py`, of the class COMMAND_CLASS there if there is one.
COMMANDS: dict[str, dict[str, Any]] = {
    "init": {},
    "pretrain": _CONFIG_OVERRIDES,
    "curves": {},
    "perplexity": {},
    "convert": {},
    "vectors": {},
    "assets": {},
    "corpus": {},
    "train": _CONFIG_OVERRIDES,
    "calibrate": {},
    "combine": {},
    "compact": {},
    "complete": {},
    "compile": {},
    "compare": {},
    "report": {},
    "audit": _CONFIG_OVERRIDES,
    "annotate": {},
}


class LazyCommands(TyperGroup):
    """Import each command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names in order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of this name."""
        return _command(cmd_name) if cmd_name in COMMANDS else None


@cache
def _command(name: str) -> Any:
    module = import_module(f".{name}", __package__)
    function: Callable[..., None] = getattr(module, f"{name}_cli")
    cls = getattr(module, "COMMAND_CLASS", None)
    alone = typer.Typer(add_completion=False, rich_markup_mode=app.rich_markup_mode)
    alone.command(name, cls=cls, context_settings=COMMANDS[name])(function)
    return get_command(alone)


elmo_cli = typer.Typer(
    name="elmo",
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode=app.rich_markup_mode,
)
app.add_typer(elmo_cli)


@elmo_cli.callback()
def elmo() -> None:
    """Use ELMo's contextual word representations, and the pipes on top of them."""
