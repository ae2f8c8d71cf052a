"""The package's imports, those inside functions included: no circles, and arrows only downwards."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import spacy_elmo_ner

PACKAGE = "spacy_elmo_ner"
ROOT = Path(spacy_elmo_ner.__file__).parent

# Rooms (folders, and files at the root of the package) from the bottom to the top. A room imports
# its own files and rooms of lower floors.
FLOORS = (
    {"errors"},
    {"files", "resources"},
    {"download", "libraries"},
    {"elmo", "decoding"},
    {"corpus", "vectors"},
    {"layers"},
    {"pipeline"},
    {"pretraining", "audit", "annotation", "clients"},
    {"comparison"},
    {"cli"},
)
# What the biLM and the decoders must do without.
PLAIN = ("elmo", "decoding")
FORBIDDEN_IN_PLAIN = ("spacy", "thinc")

# Imports that are still to go. The test also fails where one of them has gone, so that this list
# only shrinks: circles as sets of modules, arrows as (importing, imported).
KNOWN_CIRCLES: list[set[str]] = []
KNOWN_ARROWS_UPWARDS: set[tuple[str, str]] = set()


def _modules() -> dict[str, Path]:
    """Each module without the package's own name ("" is the package) and its file."""
    modules = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def _imported(module: str, path: Path) -> Iterator[str]:
    """Full names that the file imports anywhere; of ``from a import b`` both a and a.b."""
    package = f"{PACKAGE}.{module}".rstrip(".").split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _graph() -> dict[str, set[str]]:
    """Each module of the package and the modules of the package that it imports."""
    modules = _modules()
    graph = {}
    for module, path in modules.items():
        names = {name for name in _imported(module, path) if f"{name}.".startswith(f"{PACKAGE}.")}
        own = {name.removeprefix(PACKAGE).removeprefix(".") for name in names}
        found = own & set(modules)
        # A package named only on the way to one of its modules is not what is meant.
        graph[module] = {
            name
            for name in found
            if name != module and not any(other.startswith(f"{name}.") for other in found)
        }
    return graph


def _circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Modules that import each other, directly or through others, as sets of two or more."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [*graph[start]]
        while ahead:
            module = ahead.pop()
            if module not in seen:
                seen.add(module)
                ahead += graph[module]
        return seen

    all_reached = {module: reached(module) for module in graph}
    circles = []
    for module, others in all_reached.items():
        circle = {other for other in others if module in all_reached[other]}
        if len(circle) > 1 and circle not in circles:
            circles.append(circle)
    return circles


def _floor(module: str) -> int:
    room = module.partition(".")[0]
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    found = _graph()
    assert found[""] == {"elmo"}  # the package names BiLM and nothing else
    return {module: imported for module, imported in found.items() if module}


def test_every_room_has_a_floor(graph: dict[str, set[str]]) -> None:
    rooms = {module.partition(".")[0] for module in graph}
    assert rooms <= set().union(*FLOORS)
    assert len(graph) > 100 and sum(map(len, graph.values())) > 300


def test_no_circles(graph: dict[str, set[str]]) -> None:
    assert _circles(graph) == KNOWN_CIRCLES


def test_arrows_only_downwards(graph: dict[str, set[str]]) -> None:
    upwards = {
        (module, imported)
        for module, names in graph.items()
        for imported in names
        if module.partition(".")[0] != imported.partition(".")[0]
        and _floor(module) <= _floor(imported)
    }
    assert upwards == KNOWN_ARROWS_UPWARDS


@pytest.mark.parametrize("room", PLAIN)
def test_plain_rooms_import_neither_spacy_nor_thinc(room: str) -> None:
    found = {
        (module, name)
        for module, path in _modules().items()
        if module.partition(".")[0] == room
        for name in _imported(module, path)
        if name.partition(".")[0] in FORBIDDEN_IN_PLAIN
    }
    assert found == set()


def test_circles_are_found_through_other_modules() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"d"}}
    assert _circles(graph) == [{"a", "b", "c"}]


def test_imports_inside_functions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ..layers import crf\n"
        "def f():\n    from . import files\n    import spacy_elmo_ner.elmo.lstm\n"
    )
    found = set(_imported("pipeline.x", path))
    assert {
        "spacy_elmo_ner.layers.crf",
        "spacy_elmo_ner.pipeline.files",
        "spacy_elmo_ner.elmo.lstm",
    } <= found
