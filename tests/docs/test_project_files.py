"""README, changelog, citation and templates agree with setup.cfg; their links lead somewhere."""

import os
import re
import runpy
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import setuptools

import spacy_elmo_ner
from tests.checkout import needs_checkout

ROOT = Path(__file__).parents[2]
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf8")
VERSION = SETUP["metadata"]["version"]
URLS = dict(
    re.split(r"\s*=\s*", line, maxsplit=1)
    for line in SETUP["metadata"]["project_urls"].strip().splitlines()
)
README = (ROOT / "README.md").read_text(encoding="utf8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def anchors(page: Path) -> set[str]:
    """Return what a link may name on a page: its headings, as `_plain` writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf8"), re.MULTILINE)
    return {_plain(heading) for heading in headings}


def _plain(heading: str) -> str:
    """Write a heading as anchors do, without what GitHub and MkDocs write in different ways."""
    return re.sub(r"[ -]+", "-", re.sub(r"[^\w -]|_", "", heading).strip().lower())


def prose(page: Path) -> str:
    """Return a page without its code."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf8"), flags=re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def test_the_version_is_the_same_everywhere() -> None:
    assert spacy_elmo_ner.__version__ == VERSION
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf8")
    assert f"\nversion: {VERSION}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    titles = re.findall(r"^## (.*)$", changes, re.MULTILINE)
    assert titles[0] == "Unreleased"
    dated = [re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", title) for title in titles[1:]]
    assert all(dated), titles
    assert dated[0] is not None and dated[0][1] == VERSION
    assert f"date-released: {dated[0][2]}" in citation


def test_the_readme_is_short_and_has_one_picture_and_one_table() -> None:
    assert len(README.splitlines()) <= 150
    assert len(re.findall(r"!\[", README)) == 1
    rows = [line for line in README.splitlines() if line.startswith("|")]
    assert 3 <= len(rows) <= 9  # header, rule, and at most seven rows
    assert "EL" not in "".join(rows)


def test_the_readme_installs_torch_for_cpus() -> None:
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf8")
    for text in (README, install, (ROOT / "Makefile").read_text(encoding="utf8")):
        assert "https://download.pytorch.org/whl/cpu" in text


def test_every_extra_is_on_the_page_about_installation() -> None:
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf8")
    missing = [name for name in SETUP["options.extras_require"] if f"[{name}]" not in install]
    assert missing == []


@needs_checkout
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_files_and_sections_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in LINK.findall(prose(page)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page if not path else Path(os.path.normpath(page.parent / path))
        if not linked.exists() or (anchor and _plain(anchor) not in anchors(linked)):
            wrong.append(target)
    assert wrong == []


@needs_checkout
def test_on_pypi_every_link_of_the_readme_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: given.update(arguments))
    runpy.run_path(str(ROOT / "setup.py"))
    description = given["long_description"]
    links = LINK.findall(description)
    assert len(links) == len(LINK.findall(README)) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    picture = re.search(r"!\[[^]]*\]\(([^)]*)\)", description)
    assert picture is not None
    assert picture[1] == f"{URLS['Source']}/raw/main/docs/pictures/overview.svg"
    for link in links:
        for kind in ("raw", "blob"):
            start = f"{URLS['Source']}/{kind}/main/"
            if link.startswith(start):
                assert (ROOT / link.removeprefix(start).partition("#")[0]).exists(), link


def test_no_file_has_another_address_of_the_project_than_setup_cfg() -> None:
    names = [
        "*.md",
        "docs/**/*.md",
        ".github/**/*.yml",
        ".github/*.md",
        "CITATION.cff",
        "mkdocs.yml",
    ]
    project = "/".join(URLS["Source"].rsplit("/", 2)[-2:])
    host = URLS["Source"].removesuffix(project)
    for path in (path for name in names for path in ROOT.glob(name)):
        text = path.read_text(encoding="utf8")
        for address in re.findall(rf"{re.escape(host)}[\w./-]*spacy-elmo-ner[\w./-]*", text):
            assert address.startswith(URLS["Source"]), f"{path}: {address}"


@pytest.mark.parametrize("name", ["overview.svg", "house.svg"])
def test_pictures_have_a_text_alternative_and_load_nothing(name: str) -> None:
    picture = (ROOT / "docs" / "pictures" / name).read_text(encoding="utf8")
    assert "<title" in picture and "<desc" in picture
    assert not re.search(r"<script|<image|href|@import|url\(", picture)
