"""The text of docs/config.md: every setting that a config can have, read from the code."""

import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from spacy.language import Language
from thinc.api import Config, Model

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table

from .docstrings import entries, without_entries

INTRODUCTION = """\
# Config reference

Written by `python scripts/pages.py` from the code: every name that this package registers with
spaCy, its settings, and their defaults. A setting without a default must be given.
[Pipes](pipes.md) shows how they are used; [Pre-training](pretraining.md#settings) lists the
settings of `elmo pretrain`.
"""

# Kinds of entry points in setup.cfg: the registry's key in a config, and the heading.
KINDS = {
    "spacy_architectures": ("architectures", "Architectures"),
    "spacy_augmenters": ("augmenters", "Augmenters"),
    "spacy_readers": ("readers", "Readers"),
    "spacy_scorers": ("scorers", "Scorers"),
    "spacy_callbacks": ("callbacks", "Callbacks"),
    "spacy_vectors": ("vectors", "Vectors"),
}


def config_page(setup_cfg: Path) -> str:
    """Make the page of the names that setup.cfg registers. Raises
    ValueError for a setting whose docstring says nothing of it."""
    points = ConfigParser()
    points.read(setup_cfg, encoding="utf8")
    groups = points["options.entry_points"]
    parts = [INTRODUCTION.strip(), "## Pipes"]
    for name, function in _registered(groups["spacy_factories"]):
        parts += _pipe_sections(name, function)
    for group, (key, title) in KINDS.items():
        parts.append(f'## {title}\n\nIn a config: `@{key} = "NAME"`.')
        registered = dict(_registered(groups[group]))
        for name, function in registered.items():
            parts += _function_sections(name, function, has_newer=_next(name) in registered)
    return "\n\n".join(parts) + "\n"


def _registered(block: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the names of a group of entry points, and what they stand for."""
    for line in block.strip().splitlines():
        name, _, value = line.partition("=")
        module, _, attribute = value.strip().partition(":")
        yield name.strip(), getattr(import_module(module), attribute)


def _pipe_sections(name: str, function: Callable[..., Any]) -> Iterator[str]:
    meta = Language.get_factory_meta(name)
    defaults = meta.default_config or {}
    yield f"### `{name}`"
    yield _described(function)
    yield markdown_table(settings_table(function, defaults, leave_out={"nlp", "name", "model"}))
    assigned = ", ".join(f"`{one}`" for one in meta.assigns)
    yield f"Sets {assigned}. Its model, if the config has none:"
    model = Config({"model": defaults["model"]}).to_str().strip()
    yield f"```ini\n{model}\n```"


def _next(name: str) -> str:
    """Return the name of the next version: x.v2 for x.v1."""
    stem, _, version = name.rpartition(".v")
    return f"{stem}.v{int(version) + 1}"


def _function_sections(
    name: str, function: Callable[..., Any], *, has_newer: bool
) -> Iterator[str]:
    yield f"### `{name}`"
    yield _described(function)
    if has_newer:
        return
    table = settings_table(function, {})
    if table.rows:
        yield markdown_table(table)


def settings_table(
    function: Callable[..., Any],
    defaults: Mapping[str, Any],
    leave_out: set[str] = frozenset(),  # type: ignore[assignment]
) -> Table:
    """Build one row per parameter: type, default, and what the docstring says.

    Raises ValueError for a parameter that the docstring does not describe.
    """
    parameters = inspect.signature(function).parameters
    hints = get_type_hints(function)
    told = entries(inspect.getdoc(function) or "", set(parameters))
    rows = []
    for name, parameter in parameters.items():
        if name in leave_out:
            continue
        if name not in told:
            if name in KNOWN:
                told[name] = KNOWN[name]
            else:
                raise ValueError(f"{function.__qualname__}: the docstring does not tell of {name}")
        default = defaults.get(name, parameter.default)
        shown = "" if default is inspect.Parameter.empty else f"`{_json(default)}`"
        rows.append([f"`{name}`", type_text(hints[name]), shown, _escaped(told[name])])
    return Table("Settings", ["setting", "type", "default", ""], rows, frozenset({0, 1, 2, 3}))


# Settings that many functions of spaCy have, with the same meaning in all.
KNOWN = {
    "scorer": "what `nlp.evaluate` calls.",
    "precision": '"exact", or "bf16" for matrix products in bfloat16 in prediction.',
}


def type_text(hint: Any) -> str:
    """Say a type as a config writes it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{_json(value)}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(type_text, arguments)))
    if hint is type(None):
        return "null"
    if origin is Model or (isinstance(hint, type) and issubclass(hint, Model)):
        return "layer"
    if callable(hint) and origin is not None and not isinstance(origin, type):
        return "function"
    if origin in (list, tuple):
        return f"list of {type_text(arguments[0])}"
    if getattr(origin, "__name__", "") == "Callable":
        return "function"
    return {Path: "path"}.get(hint, getattr(hint, "__name__", str(hint)))


def _json(value: Any) -> str:
    return json.dumps(value)


def _described(function: Callable[..., Any]) -> str:
    names = set(inspect.signature(function).parameters)
    return _escaped(without_entries(inspect.getdoc(function) or "", names))


def _escaped(text: str) -> str:
    """Keep brackets such as [training] and (n_layers * width) from being read as Markdown."""
    return text.replace("[", "\\[").replace("*", "\\*")
