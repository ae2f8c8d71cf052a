"""The catalogue of errors: every message raised by a test, and each says what to do."""

import ast
import re
from pathlib import Path

import pytest

import spacy_elmo_ner
from spacy_elmo_ner.errors import Errors, Warnings, shown

PACKAGE = Path(spacy_elmo_ner.__file__).parent
TESTS = Path(__file__).parents[1]
CODE = re.compile(r"\b[EW]L\d{3}\b")

CATALOGUE = {
    code: message
    for catalogue in (Errors, Warnings)
    for code, message in vars(catalogue).items()
    if CODE.fullmatch(code)
}
# A message says what to do in words that begin a sentence or follow a colon or semicolon.
FIX = re.compile(
    r"(?:^|[.:;,] (?:or, |and |or |Then )?|Or |Either |\) )"
    r"(?:Add|Allow|Ask|Check|Choose|Convert|Correct|Delete|Fetch|Get|Give|Install|Leave|Load|"
    r"Lower|Make|Must|Name|Pass|Point|Put|Rename|Restore|Run|Save|Set|Split|Take|Train|Try|Use|Write|"
    r"add|choose|delete|fetch|give|install|look|make|pip install|put|rename|train|write|use)\b|"
    r"(?:must|should|Expected|expected) "
)
# Tells of several at once, each with a message of its own; is told what to do by who raises it.
PASSING_ON = {"EL313", "EL037"}


def _texts(path: Path) -> str:
    """All strings of a module but its docstrings: a code in a comment is no test."""
    tree = ast.parse(path.read_text(encoding="utf8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    return " ".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in docstrings
    )


def _tested() -> set[str]:
    own = Path(__file__)
    paths = [path for path in TESTS.rglob("*.py") if path != own]
    return {code for path in paths for code in CODE.findall(_texts(path))}


def _raised() -> set[str]:
    """Codes that the package, and the scripts beside it, take from its catalogue."""
    return {
        node.attr
        for folder in (PACKAGE, TESTS.parent / "scripts")
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8")))
        if isinstance(node, ast.Attribute) and CODE.fullmatch(node.attr)
    }


def test_every_code_is_raised_somewhere_and_none_is_unknown() -> None:
    assert _raised() == set(CATALOGUE)


def test_a_test_asks_for_each_code() -> None:
    assert set(CATALOGUE) - _tested() == set()


@pytest.mark.parametrize("code", sorted(set(CATALOGUE) - PASSING_ON))
def test_each_message_names_a_fix(code: str) -> None:
    assert FIX.search(CATALOGUE[code]), CATALOGUE[code]


def test_no_code_is_there_twice() -> None:
    source = (PACKAGE / "errors.py").read_text(encoding="utf8")
    found = re.findall(r"^    ([EW]L\d{3}) =", source, re.MULTILINE)
    assert len(found) == len(set(found)) == len(CATALOGUE)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 10_000, id="text"),
        pytest.param(10**5_000, id="number"),
        pytest.param([[["deep"] * 900] * 900], id="lists"),
    ],
)
def test_a_message_shows_little_of_a_large_value(value: object) -> None:
    assert 0 < len(shown(value)) < 500
