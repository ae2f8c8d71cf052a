"""The hooks of the site: links that leave docs/, and what a browser would load from elsewhere.

That the whole site builds without a warning is what `make docs` tests, which CI runs.
"""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs", reason="the site needs the extra [docs]")

from scripts import site_hooks

SOURCE = site_hooks.project_urls()["Source"]
CONFIG = SimpleNamespace(extra={"source_url": SOURCE})


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("docs/index.md", "install.md#with-pip", "install.md#with-pip"),
        ("docs/results/comparison.md", "../accuracy.md", "../accuracy.md"),
        ("docs/index.md", "../CONTRIBUTING.md", "contributing.md"),
        (
            "docs/results/comparison.md",
            "../../CHANGELOG.md#unreleased",
            "../changelog.md#unreleased",
        ),
        ("CONTRIBUTING.md", "docs/architecture.md", "architecture.md"),
        ("CONTRIBUTING.md", "CHANGELOG.md", "changelog.md"),
        ("docs/index.md", "../configs/ner.cfg", f"{SOURCE}/blob/main/configs/ner.cfg"),
        ("docs/index.md", "https://spacy.io", "https://spacy.io"),
        ("docs/index.md", "#here", "#here"),
    ],
)
def test_links_lead_to_pages_of_the_site_or_to_the_repository(
    source: str, target: str, expected: str
) -> None:
    assert site_hooks.relinked(f"See [it]({target}).", source, CONFIG) == f"See [it]({expected})."


def test_a_link_to_nothing_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mkdocs.hooks.site"):
        site_hooks.relinked("[it](../no/such.file)", "docs/index.md", CONFIG)
    assert "docs/index.md links to ../no/such.file" in caplog.text


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img src="https://example.org/x.png">',
    ],
)
def test_what_a_browser_would_load_from_elsewhere_is_found(
    html: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "page.html").write_text(f"<html>{html}</html>", encoding="utf8")
    with caplog.at_level(logging.WARNING, "mkdocs.hooks.site"):
        site_hooks.on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
    assert "page.html loads " in caplog.text


def test_links_and_own_files_are_no_requests() -> None:
    html = (
        '<a href="https://spacy.io">spaCy</a><link rel="canonical" href="https://x.example/">'
        '<script src="../assets/x.js"></script><img src="data:image/png;base64,AA">'
        '<img src="a.svg">'
    )
    assert site_hooks.external_requests(html) == []


def test_addresses_come_from_setup_cfg() -> None:
    config = SimpleNamespace(extra={}, site_url="")
    site_hooks.on_config(config)
    assert config.site_url == site_hooks.project_urls()["Documentation"] + "/"
    assert config.extra["social"][0]["link"] == SOURCE
