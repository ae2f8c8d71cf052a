"""The page of examples/serve in headless Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .serving import Server

pytest.importorskip("fastapi")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 390, 1280
# Folder for pictures to look at; none are made without it.
PICTURES = os.environ.get("SERVE_PICTURES")


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Any]:
    """visit(width, **settings) -> (page, all that the console said, all addresses asked for)."""
    contexts = []

    def open_page(width: int = DESKTOP, **settings: Any) -> tuple[Any, list[str], list[str]]:
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.address)
        page.wait_for_selector("mark")
        return page, said, asked

    yield open_page
    for context in contexts:
        context.close()


def marks(page: Any) -> list[tuple[str, str]]:
    """Text and type of each marked entity."""
    found = page.query_selector_all("#marked mark")
    return [(m.evaluate("m => m.firstChild.data"), m.get_attribute("data-label")) for m in found]


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_asks_nobody_else_and_fits_its_window(visit: Any, server: Server, width: int) -> None:
    page, said, asked = visit(width)
    assert said == []
    assert all(url.startswith((server.address, "data:")) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_no_fault(visit: Any, width: int, scheme: str) -> None:
    page, _, _ = visit(width, color_scheme=scheme)
    labels = ["art", "eve", "geo", "gpe", "nat", "org", "per", "tim", "other"]
    page.evaluate(
        "labels => { shown = {text: labels.join(' '), ents: []}; let at = 0;"
        "for (const [i, label] of labels.entries()) { shown.ents.push({start: at,"
        "end: at + label.length, text: label, label, score: i % 2 ? 0.97 : 0.55});"
        "at += label.length + 1 } render() }",
        labels,
    )
    assert [label for _, label in marks(page)] == labels
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"serve-{width}-{scheme}.png", full_page=True)
    faults = axe.Axe().run(page).response["violations"]
    assert [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in faults] == []


def test_entities_follow_what_is_typed(visit: Any) -> None:
    page, said, _ = visit()
    page.fill("#text", "")
    sync_api.expect(page.locator("#status")).to_have_text("0 entities")
    # An emoji is one character to Python and two units to JavaScript.
    page.type("#text", "😀 <b> Angela Merkel met officials in Nairobi.")
    # Until the server has answered to the last key.
    sync_api.expect(page.locator("#marked")).to_contain_text("in Nairobigeo", timeout=20_000)
    sync_api.expect(page.locator("#marked")).to_contain_text("%.", timeout=20_000)
    found = dict(marks(page))
    assert found["Nairobi"] == "geo" and found["Angela Merkel"] == "per"
    assert page.inner_text("#marked").startswith("😀 ")
    assert "<b>" in page.inner_text("#marked") and page.query_selector("#marked b") is None
    assert page.inner_text("#status") == f"{len(found)} entities"
    rows = [row.inner_text().split() for row in page.query_selector_all("#rows tr")]
    assert all(row[-1].endswith("%") for row in rows) and len(rows) == len(found)
    assert said == []


def test_uncertain_entities_can_be_hidden_with_the_keyboard(visit: Any) -> None:
    page, _, _ = visit()
    page.evaluate(
        "shown = {text: 'Ann met Bob', ents: [{start: 0, end: 3, text: 'Ann', label: 'per',"
        " score: 0.5}, {start: 8, end: 11, text: 'Bob', label: 'per', score: 0.99}]}; render()"
    )
    assert "uncertain" in page.query_selector("mark").get_attribute("class")
    page.focus("#threshold")
    for _ in range(11):
        page.keyboard.press("ArrowRight")
    assert marks(page) == [("Bob", "per")]
    assert page.inner_text("#threshold-value") == "55%"
    assert page.inner_text("#status") == "1 entity, 1 less probable"


def test_it_says_what_the_server_refuses(visit: Any) -> None:
    page, _, _ = visit()
    page.fill("#text", "a" * 100_001)
    page.wait_for_selector("#status.fault")
    assert "at most 100,000" in page.inner_text("#status")
