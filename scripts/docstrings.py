"""Read this project's docstrings: sentences, then one entry per parameter.

An entry is "name: text" or "one, other: text" at the beginning of a line; its further lines are
indented. The class is an extension of griffe, so that mkdocstrings shows entries as a list.
"""

import re
from typing import Any

import griffe

_ENTRY = re.compile(r"(?P<names>\w+(?:, \w+)*): (?P<text>.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)


def entries(docstring: str, names: set[str]) -> dict[str, str]:
    """Return the text of each parameter in names that the (dedented) docstring describes."""
    found: dict[str, str] = {}
    for match in _ENTRY.finditer(docstring):
        at_line_start = match.start() == 0 or docstring[match.start() - 1] == "\n"
        described = match["names"].split(", ")
        if at_line_start and set(described) <= names:
            text = " ".join(match["text"].split())
            found |= dict.fromkeys(described, text)
    return found


def without_entries(docstring: str, names: set[str]) -> str:
    """Return the docstring without what `entries` finds in it."""

    def is_kept(match: re.Match[str]) -> str:
        at_line_start = match.start() == 0 or docstring[match.start() - 1] == "\n"
        return "" if at_line_start and set(match["names"].split(", ")) <= names else match[0]

    return re.sub(r"\n{3,}", "\n\n", _ENTRY.sub(is_kept, docstring)).strip()


def as_list(docstring: str, names: set[str]) -> str:
    """Return the docstring with its entries as a Markdown list, and "Raises" after it."""

    def item(match: re.Match[str]) -> str:
        at_line_start = match.start() == 0 or docstring[match.start() - 1] == "\n"
        described = match["names"].split(", ")
        if not at_line_start or not set(described) <= names:
            return match[0]
        marked = ", ".join(f"`{name}`" for name in described)
        return f"\n- {marked}: {' '.join(match['text'].split())}\n"

    listed = _ENTRY.sub(item, docstring)
    listed = re.sub(r"(\n- .*)\n+(?=- )", r"\1\n", listed)
    return re.sub(r"\n{3,}", "\n\n", listed).strip()


class ListedParameters(griffe.Extension):
    """Show the parameters of functions, and the fields of dataclasses, as a list."""

    def on_function(self, *, func: Any, **kwargs: Any) -> None:
        """Change the docstring of a function."""
        _show_as_list(func, {parameter.name for parameter in func.parameters})

    def on_class(self, *, cls: Any, **kwargs: Any) -> None:
        """Change the docstring of a class, once its members are known."""
        _show_as_list(cls, set(cls.members))


def _show_as_list(obj: Any, names: set[str]) -> None:
    if obj.docstring is not None and names:
        obj.docstring.value = as_list(obj.docstring.value, names)
