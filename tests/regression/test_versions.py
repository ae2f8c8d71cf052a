"""What is imported is required, and our pipeline takes every spaCy that the package takes."""

import ast
import configparser
import json
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "spacy_elmo_ner"


def requirements(section: str, key: str) -> dict[str, str]:
    """Names of distributions with the versions that setup.cfg allows."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = filter(None, config[section][key].splitlines())
    found = [
        re.fullmatch(r"([\w.-]+?)(?:\[[^]]*\])?((?:[<>=!]=?|==)[^;]*)?(;.*)?", line)
        for line in lines
    ]
    return {match[1].lower().replace("_", "-"): match[2] or "" for match in found if match}


def imported(path: Path) -> set[str]:
    """Top-level names of absolute imports, those inside functions included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"spacy_elmo_ner"}


def test_every_import_is_a_requirement() -> None:
    required = requirements("options", "install_requires")
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for extra in config["options.extras_require"]:
        required |= requirements("options.extras_require", extra)
    owners = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in imported(path)
        if not {each.lower().replace("_", "-") for each in owners.get(name, [name])} & set(required)
    }
    assert missing == set()


def test_versions_known_not_to_work_are_not_allowed() -> None:
    required = requirements("options", "install_requires")
    # Options written as `Path | None` need 0.12; before 0.16 it does not work with click 8.2.
    assert required["typer"] == ">=0.16,<1.0"
    # thinc 8.3.4 needs numpy 2, which h5py before 3.11 does not work with.
    assert required["numpy"] == ">=2.0"
    assert required["h5py"] == ">=3.11"


def test_the_packaged_pipeline_takes_every_spacy_that_the_package_takes() -> None:
    meta = json.loads((ROOT / "assets/pipelines/en_elmo_gmb_sm/meta.json").read_text())
    described = json.loads((ROOT / "configs/en_elmo_gmb_sm.meta.json").read_text())
    allowed = requirements("options", "install_requires")["spacy"]
    assert meta["spacy_version"] == described["spacy_version"] == f"{allowed}.0"
