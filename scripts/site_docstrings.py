"""An extension of griffe, so that mkdocstrings shows our docstrings' entries as lists."""

import sys
from pathlib import Path
from typing import Any

import griffe

# mkdocstrings loads this file alone.
sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.docstrings import as_list


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
