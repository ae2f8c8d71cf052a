"""Every public name says in its docstring's first line what it does: a sentence with a verb."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spacy_elmo_ner

ROOT = Path(spacy_elmo_ner.__file__).parent
PACKAGE = ROOT.name

# What a docstring may begin with: modules and functions in the imperative, classes also in the
# third person. Add a verb here when a new one is needed, so that no noun slips in.
_VERBS = """
accept add allocate annotate append apply arrange audit augment bridge bring build calibrate change
check choose collect combine compare compute concatenate continue convert copy count create cut
decide declare decode decompress define delete describe do download draw drop encode end escape
exclude explain fetch fill find fit format free give group hand handle hash have hold import
initialize join keep label lay learn let like link list listen load locate look make map measure
merge mirror move multiply name note notice number open pair parse predict prefix print provide put
raise read receive recognize record refer register remember rename repeat replace report restore
return round run save say score see select send set show shrink size spell split start store sum
summarise take tell time tokenize train translate turn undo unlink use wait walk warn widen wrap
write yield
"""
VERBS = frozenset(_VERBS.split())
# Verbs whose third person is not the verb with an s.
IRREGULAR = {"has": "have", "does": "do"}

# Thinc's names for the parts of a layer, which its builder's docstring describes.
PARTS_OF_A_LAYER = ("forward", "init")


def _trees() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                name = getattr(node, "name", "the module")
                yield f"{path.relative_to(ROOT).as_posix()}: {name}", node


def _verb(docstring: str, *, third_person: bool) -> str | None:
    """Return the verb a docstring begins with, in the imperative, or None."""
    # "``python -m spacy elmo convert``: turn ..." names a command or a registered name first.
    word = re.match(r"(?:``[^`]+``: )?(\w*)", docstring)[1].lower()  # type: ignore[index]
    if third_person and word not in VERBS:
        word = IRREGULAR.get(word, re.sub(r"(?<=ch)es$|(?<=sh)es$|s$", "", word))
    return word if word in VERBS else None


def test_every_docstring_begins_with_a_verb() -> None:
    wrong = [
        f"{place}: {docstring.splitlines()[0]}"
        for place, node in _trees()
        if (docstring := ast.get_docstring(node))  # type: ignore[arg-type]
        and _verb(docstring, third_person=isinstance(node, ast.ClassDef)) is None
    ]
    assert wrong == []


def test_every_first_line_is_a_sentence_with_its_full_stop() -> None:
    wrong = [
        f"{place}: {docstring.splitlines()[0]}"
        for place, node in _trees()
        if (docstring := ast.get_docstring(node))  # type: ignore[arg-type]
        and not docstring.splitlines()[0].rstrip('"').endswith((".", "...", ":"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("docstring", "verb"),
    [
        ("Return the width.", "return"),
        ("Holds a table.", None),
        ("``python -m spacy elmo convert``: turn files.", "turn"),
        ("The width.", None),
        ("Whether it fits.", None),
        ("x (n,) -> y (n,).", None),
    ],
)
def test_the_rule(docstring: str, verb: str | None) -> None:
    assert _verb(docstring, third_person=False) == verb


@pytest.mark.parametrize(("docstring", "verb"), [("Holds a table.", "hold"), ("A table.", None)])
def test_classes_also_speak_in_the_third_person(docstring: str, verb: str | None) -> None:
    assert _verb(docstring, third_person=True) == verb


# ---- all that is public has one --------------------------------------------------------------


def _documented(cls: type, name: str) -> bool:
    """Whether a member has a docstring, its own or that of what it overrides."""
    for base in cls.__mro__:
        member = base.__dict__.get(name)
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if isinstance(member, cached_property):
            member = member.func
        if member is not None and getattr(member, "__doc__", None):
            return True
    return False


def _without_docstring(module: ModuleType) -> Iterator[str]:
    exempt = PARTS_OF_A_LAYER if ".layers." in module.__name__ else ()
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            if not value.__doc__:
                yield name
            yield from (
                f"{name}.{member}"
                for member, function in vars(value).items()
                if not member.startswith("_") and _is_method(function)
                if not _documented(value, member)
            )
        elif inspect.isfunction(value) and not value.__doc__ and name not in exempt:
            yield name


def _is_method(value: Any) -> bool:
    kinds = (classmethod, staticmethod, property, cached_property)
    return inspect.isfunction(value) or isinstance(value, kinds)


def test_every_public_name_has_a_docstring() -> None:
    missing = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.read_text(encoding="utf8"):
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            try:
                module = importlib.import_module(name)
            except ModuleNotFoundError as error:
                if PACKAGE in (error.name or ""):
                    raise
                continue  # an optional package is not installed
            missing += [f"{name}.{member}" for member in _without_docstring(module)]
            missing += [] if module.__doc__ else [name]
    assert missing == []
