"""docs/architecture.md names every file of the package, and answers where things are.

``python tests/test_architecture.py`` writes its list of files anew.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "spacy_elmo_ner"
PATH = ROOT / "docs" / "architecture.md"
PAGE = PATH.read_text(encoding="utf8")
pytestmark = pytest.mark.skipif(
    not PACKAGE.is_dir(), reason="needs the package's source beside the tests"
)
BEGIN, END = "<!-- files:begin -->", "<!-- files:end -->"


def _modules() -> list[Path]:
    """Modules that hold code, those at the package's root first, then room by room."""
    found = (path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return sorted(found, key=lambda path: (path.parent != PACKAGE, path.parent.as_posix(), path))


def _room(path: Path) -> str:
    folder = path.parent.relative_to(PACKAGE).as_posix()
    return "spacy_elmo_ner/" if folder == "." else f"{folder}/"


def _list_of_files() -> str:
    """Markdown: a table per room with the first line of each file's docstring."""
    lines: list[str] = []
    room = None
    for path in _modules():
        if _room(path) != room:
            room = _room(path)
            lines += ["", f"### {room}", "", "| file | what it does |", "|---|---|"]
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf8"))) or ""
        first = docstring.partition("\n")[0].replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{path.name}` | {first} |")
    return "\n".join([*lines, ""])


def _with_list(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{_list_of_files()}\n{END}{after}"


def test_the_list_of_files_is_that_of_the_package() -> None:
    assert _with_list(PAGE) == PAGE, "Run: python tests/test_architecture.py"


def test_every_file_it_names_exists() -> None:
    without_list = PAGE.partition(BEGIN)[0]
    named = set(re.findall(r"`([\w/]+\.py)`", without_list))
    assert len(named) > 40
    missing = {n for n in named if not (PACKAGE / n).is_file() and not (ROOT / n).is_file()}
    assert missing == set()


def test_every_answer_is_where_it_says() -> None:
    section = PAGE.partition("## Where is ...?")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .*\? \| (.+) \| `(\w+)` \|$", section, re.MULTILINE)
    assert len(rows) >= 20
    for files, name in rows:
        for file in re.findall(r"`([\w/]+\.py)`", files):
            assert re.search(rf"\b{name}\b", (PACKAGE / file).read_text(encoding="utf8")), file


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


if __name__ == "__main__":
    PATH.write_text(_with_list(PAGE), encoding="utf8", newline="\n")
