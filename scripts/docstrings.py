"""Read this project's docstrings: sentences, then one entry per parameter.

An entry is "name: text" or "one, other: text" at the beginning of a line; its further lines are
indented. Another entry may follow on its line.
"""

import re
from collections.abc import Callable, Collection, Iterator

_LINES = re.compile(r"^(\w+(?:, \w+)*): .+(?:\n[ \t]+\S.*)*", re.MULTILINE)
_NEXT = re.compile(r"(?<=[.;]) (?=\w+(?:, \w+)*: )")


def entries(docstring: str, names: Collection[str]) -> dict[str, str]:
    """Return the text of each parameter in names that the (dedented) docstring describes."""
    found: dict[str, str] = {}
    for match in _LINES.finditer(docstring):
        for described, text in _entries_of(match[0], names):
            found |= dict.fromkeys(described, text)
    return found


def without_entries(docstring: str, names: Collection[str]) -> str:
    """Return the docstring without what `entries` finds in it."""
    return _changed(docstring, names, lambda found: "")


def as_list(docstring: str, names: Collection[str]) -> str:
    """Return the docstring with its entries as a Markdown list."""

    def items(found: list[tuple[list[str], str]]) -> str:
        listed = (
            f"- {', '.join(f'`{name}`' for name in described)}: {text}" for described, text in found
        )
        return "\n" + "\n".join(listed) + "\n"

    listed = _changed(docstring, names, items)
    return re.sub(r"^(- .*)\n+(?=- )", r"\1\n", listed, flags=re.MULTILINE)


def _changed(
    docstring: str,
    names: Collection[str],
    change: Callable[[list[tuple[list[str], str]]], str],
) -> str:
    def replace(match: re.Match[str]) -> str:
        found = list(_entries_of(match[0], names))
        return change(found) if found else match[0]

    return re.sub(r"\n{3,}", "\n\n", _LINES.sub(replace, docstring)).strip()


def _entries_of(lines: str, names: Collection[str]) -> Iterator[tuple[list[str], str]]:
    """Yield the names and the text of each entry that begins in these lines, none if the first
    is no parameter's."""
    found: list[tuple[list[str], str]] = []
    for part in _NEXT.split(" ".join(lines.split())):
        described, _, text = part.partition(": ")
        if set(described.split(", ")) <= set(names):
            found.append((described.split(", "), text))
        elif found:  # a colon in the text itself
            found[-1] = (found[-1][0], f"{found[-1][1]} {part}")
        else:
            return
    yield from found
