"""The report in headless Chromium: it works offline, without errors, for everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spacy_elmo_ner.comparison.report.page import write_report

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 390, 1280


@pytest.fixture(scope="module")
def report(compared: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_report(compared.results, compared.texts, folder)[0]


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    """visit(width, **settings) -> (page, everything the console said and the page asked for)."""
    contexts = []

    def open_page(width: int = DESKTOP, **settings: Any) -> tuple[Any, list[str]]:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, offline=True, **settings
        )
        contexts.append(context)
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto(report.as_uri())
        said.remove(report.as_uri())
        return page, said

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_loads_offline_without_a_word_on_the_console(visit, width):
    page, said = visit(width)
    assert said == []
    assert page.inner_text("#count") == "40 of 40 texts"
    # Wide tables scroll in their own box: the page itself never scrolls sideways.
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_no_fault(visit, width, scheme):
    page, _ = visit(width, color_scheme=scheme)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    faults = axe.Axe().run(page).response["violations"]
    assert [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in faults] == []


def test_every_picture_has_a_text_alternative(visit):
    page, _ = visit()
    pictures = page.get_by_role("img").all()
    assert len(pictures) == 9
    snapshots = [picture.aria_snapshot() for picture in pictures]
    assert all(len(each) > 40 for each in snapshots)
    bare = "img:not([alt]), svg:not([aria-hidden=true])"
    assert page.locator(bare).count() == 0


def test_filters_narrow_the_texts_by_type_by_who_is_right_and_by_words(visit):
    page, said = visit()
    page.get_by_role("combobox", name="Entity type").select_option("org")
    assert page.inner_text("#count") == "20 of 40 texts"
    assert page.locator("#found article").count() == 10
    # Of org alone, rulers are right where Acme Corp. is, but they take Paris for one too.
    page.get_by_role("combobox", name="Who is right").select_option("every pipeline is right")
    assert page.inner_text("#count") == "0 of 40 texts"
    page.get_by_role("combobox", name="Entity type").select_option("geo")
    page.get_by_role("combobox", name="Who is right").select_option("rules is wrong")
    assert page.inner_text("#count") == "20 of 40 texts"
    page.get_by_role("searchbox", name="Words in the text").fill("acme")
    assert page.inner_text("#count") == "10 of 40 texts"
    assert "differs in geo" in page.locator("#found article").first.inner_text()
    assert said == []


def test_texts_are_turned_page_by_page_with_the_keyboard(visit):
    page, _ = visit()
    assert page.inner_text("#page") == "Page 1 of 4"
    assert page.get_by_role("button", name="Earlier texts").is_disabled()
    page.get_by_role("button", name="Later texts").focus()
    page.keyboard.press("Enter")
    assert page.inner_text("#page") == "Page 2 of 4"
    assert page.locator("#found h3").first.inner_text() == "Text 11"


def test_the_first_tab_stop_skips_to_the_results(visit):
    page, _ = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_the_button_changes_it(visit, scheme):
    page, _ = visit(color_scheme=scheme)

    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    colors = {"light": "rgb(246, 248, 250)", "dark": "rgb(15, 18, 22)"}
    other = "dark" if scheme == "light" else "light"
    assert background() == colors[scheme]
    page.get_by_role("button", name=f"{other} theme").click()
    assert background() == colors[other]
    page.emulate_media(media="print")
    assert background() == "rgb(255, 255, 255)"


def test_without_javascript_all_but_the_browser_of_texts_is_there(visit):
    page, said = visit(java_script_enabled=False)
    assert "needs JavaScript" in page.inner_text("#browse")
    assert page.locator("#summary table").first.is_visible()
    assert page.locator("#side-by-side mark").count() > 4
    assert page.locator("figure svg").first.is_visible()
    assert not page.locator("#filters").is_visible()
    assert said == []
