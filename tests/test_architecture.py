"""docs/architecture.md names files that exist, and every room of the package."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "spacy_elmo_ner"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf8")


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE))
    assert len(named) > 40
    missing = {n for n in named if not (PACKAGE / n).is_file() and not (ROOT / n).is_file()}
    assert missing == set()


def test_every_room_is_on_it() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {room for room in rooms if f"{room}/" not in PAGE} == set()


def test_the_picture_has_every_room() -> None:
    picture = (ROOT / "docs" / "pictures" / "house.svg").read_text(encoding="utf8")
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {room for room in rooms if f">{room}<" not in picture} == set()


def test_the_table_has_every_import_of_the_code_or_a_way_along_its_rows() -> None:
    """A room imports the rooms in its row, and what those may import: downwards, over any number
    of rows."""
    table = PAGE.partition("| room |")[2].partition("\n\n")[0]
    below = {
        room: set(re.findall(r"`(\w+)`", imported))
        for room, imported in re.findall(r"^\| `(\w+)/` \|.*\|(.*)\|$", table, re.MULTILINE)
    }

    def reached(room: str) -> set[str]:
        found = set(below.get(room, ()))
        return found.union(*map(reached, found))

    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    wrong = set()
    for path in PACKAGE.glob("*/**/*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                parts = path.parts[: len(path.parts) - node.level]
                module = [*parts, *(node.module or "").split(".")]
                target = Path(*module).relative_to(PACKAGE).parts[:1]
                if set(target) & rooms - {room} - reached(room):
                    wrong.add((path.relative_to(PACKAGE).as_posix(), *target))
    assert wrong == set()
