"""The text of docs/commands.md: every command with its options, read from the code."""

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from spacy_elmo_ner.cli.app import COMMANDS
from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table

INTRODUCTION = """\
# Commands

Written by `python scripts/pages.py` from the code; `python -m spacy elmo COMMAND --help` prints the
same. A command that takes a config also takes its settings as options, for instance
`--training.max_steps 1000`.
"""


def commands_page() -> str:
    """Make the page of all commands, in the order that `elmo --help` lists them."""
    parts = [INTRODUCTION.strip()]
    for name in COMMANDS:
        module = import_module(f"spacy_elmo_ner.cli.{name}")
        parts += _sections(name, getattr(module, f"{name}_cli"))
    return "\n\n".join(parts) + "\n"


def _sections(name: str, function: Callable[..., None]) -> Iterator[str]:
    arguments, rows = [], []
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        hint, *metadata = get_args(hints[parameter.name]) or (None,)
        info = next((one for one in metadata if isinstance(one, ArgumentInfo | OptionInfo)), None)
        if info is None:  # the context that typer hands over
            continue
        kind, several = _metavar(parameter.name, hint, info)
        if isinstance(info, ArgumentInfo):
            title = kind + several
            arguments.append(title)
        else:
            names = ", ".join(_names(parameter.name, info))
            title = names if hint is bool else f"{names} {kind}"
        told = " ".join((info.help or "").split())
        rows.append([f"`{title}`", _default(parameter.default), _escaped(told)])
    yield f"## {name}"
    options = ["[OPTIONS]"] if len(rows) > len(arguments) else []
    yield f"```text\n{' '.join(['python -m spacy elmo', name, *arguments, *options])}\n```"
    yield from _paragraphs(inspect.getdoc(function) or "")
    if rows:
        yield markdown_table(Table(name, ["option", "default", ""], rows, frozenset({0, 1, 2})))


def _names(name: str, info: OptionInfo) -> list[str]:
    """Return the option's names, or the one that typer makes of the parameter's."""
    # In Annotated[T, Option("--output", "-o")] typer takes the first name for a default.
    declared = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
    return declared or [f"--{name.replace('_', '-')}"]


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the help text, its examples as blocks of code."""
    for paragraph in re.split(r"\n\n+", text):
        if paragraph.startswith("python -m "):
            yield f"```text\n{' '.join(paragraph.split())}\n```"
        else:
            yield _escaped(paragraph)


def _metavar(name: str, hint: Any, info: ArgumentInfo | OptionInfo) -> tuple[str, str]:
    """Return what stands for the value, and "..." if there may be several."""
    types = [one for one in get_args(hint) if one is not type(None)]
    several = "..." if list in (get_origin(hint), *map(get_origin, types)) else ""
    if info.metavar:
        return info.metavar.removesuffix("..."), several
    if isinstance(info, ArgumentInfo):
        return name.upper(), several
    while get_args(hint) and get_origin(hint) is not Literal:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is Literal:
        return "|".join(map(str, get_args(hint))), several
    if issubclass(hint, Enum):
        return "|".join(str(one.value) for one in hint), several
    named = {"int": "N", "float": "NUMBER", "str": "TEXT"}
    return named.get(hint.__name__, hint.__name__.upper()), several


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(value, Enum):
        value = value.value
    return "" if value is None or isinstance(value, bool) else f"`{value}`"


def _escaped(text: str) -> str:
    return text.replace("[", "\\[").replace("*", "\\*").replace("<", "\\<")
