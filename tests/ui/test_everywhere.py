"""What holds of every view: themes, languages, base paths, keys, landmarks, and what axe-core finds."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.process.clew_process import Clew
from tests.ui.browser import THEMES, Theme, serious_findings
from tests.ui.compare_ids import two_checkouts
from tests.ui.looking import LANGUAGES, Looking
from tests.ui.shop import BASE_PATH

READY = {
    "/search?service=gateway": "[role=listitem], .trace-list li, tbody tr, .traces li",
    "/dependencies": "svg [role=button]",
    "/dependencies?view=table": "tbody tr",
    "/monitor": "tbody tr",
    "/monitor?service=payment": "figure canvas",
    "/compare": "form.toolbar",
    "/file": ".drop-zone",
    "/doors": "tbody tr",
}
"""Views, and what stands there once they have what they show."""
NARROW: ViewportSize = {"width": 760, "height": 800}
_HANGUL = re.compile("[가-힣]")


def arrived(page: Page, path: str) -> Page:
    expect(page.locator(READY[path]).first).to_be_visible()
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", READY)
def test_nothing_keeps_anybody_from_using_a_view(look: Looking, path: str, theme: Theme, language: str) -> None:
    page = arrived(look(path, theme=theme, language=language), path)

    assert serious_findings(page) == []
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("html").get_attribute("data-theme") == theme


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_keeps_anybody_from_comparing(look: Looking, shop: Clew, theme: Theme) -> None:
    page = look(f"/trace/{two_checkouts(shop)}", theme=theme, language="ko")
    expect(page.get_by_role("treegrid")).to_be_visible()

    assert serious_findings(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_details_of_the_graph_and_the_key_map_can_be_used_by_all(look: Looking, theme: Theme) -> None:
    page = look("/dependencies", theme=theme)
    page.get_by_role("button", name=re.compile("^Service payment")).click()
    expect(page.get_by_role("complementary")).to_be_visible()
    assert serious_findings(page) == []

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert serious_findings(page) == []


@pytest.mark.parametrize("path", READY)
def test_a_view_has_one_heading_landmarks_and_a_title(look: Looking, path: str) -> None:
    page = arrived(look(path), path)

    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Main")).to_have_count(1)
    expect(page).to_have_title(re.compile("clew"))


@pytest.mark.parametrize("path", READY)
@pytest.mark.parametrize(("door", "prefix"), [("jaeger", BASE_PATH), ("zipkin", "/zipkin")])
def test_a_view_works_below_a_base_path_and_on_zipkins_port(look: Looking, door: str, prefix: str, path: str) -> None:
    arrived(look(prefix + path, door=door), path)


@pytest.mark.parametrize("path", READY)
def test_in_korean_no_english_word_of_the_page_is_left(look: Looking, path: str) -> None:
    page = arrived(look(path, language="ko"), path)

    for name in ("Main", "Refresh", "Time range", "Zoom in", "Send spans here", "Close"):
        expect(page.get_by_text(name, exact=True)).to_have_count(0)
    assert _HANGUL.search(page.get_by_role("navigation").first.inner_text())
    assert _HANGUL.search(page.title())


def test_the_language_is_the_browsers_until_another_is_chosen_and_then_stays(look: Looking) -> None:
    page = look("/file", language="ko")
    expect(page.get_by_role("button", name="파일 선택")).to_be_visible()

    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.reload()

    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"


def test_keys_go_from_view_to_view_and_the_focus_goes_along(look: Looking) -> None:
    page = look("/file")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()

    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("/monitor"))
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("t")
    page.keyboard.type("gm?")

    expect(page.get_by_label("Trace ID")).to_have_value("gm?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_key_map_opens_takes_the_focus_and_gives_it_back(look: Looking) -> None:
    page = look("/doors")
    opener = page.get_by_role("button", name="Keyboard map")
    opener.click()
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")

    page.keyboard.press("Escape")

    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_first_tab_leads_past_the_navigation(look: Looking) -> None:
    page = look("/doors")
    expect(page.get_by_role("tab").first).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"


def test_nothing_moves_for_those_who_want_no_motion(look: Looking) -> None:
    page = look("/dependencies")
    expect(page.locator("svg [role=button]").first).to_be_visible()

    moving = "node => getComputedStyle(node).transitionDuration"
    assert page.locator(".graph-node").first.evaluate(moving) in ("0s", "")


@pytest.mark.parametrize("path", READY)
def test_in_a_narrow_window_the_page_itself_does_not_scroll_sideways(look: Looking, path: str) -> None:
    page = arrived(look(path), path)

    page.set_viewport_size(NARROW)

    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def test_heads_and_rows_of_a_table_stand_in_the_same_columns_in_a_narrow_window(look: Looking, shop: Clew) -> None:
    page = look(f"/trace/{two_checkouts(shop).partition('...')[0]}?view=statistics")
    page.set_viewport_size(NARROW)
    table = page.get_by_role("grid", name="Statistics")
    expect(table.get_by_role("row").nth(1)).to_be_visible()

    lefts = "cells => cells.map(cell => Math.round(cell.getBoundingClientRect().left))"
    heads, cells = table.get_by_role("columnheader"), table.get_by_role("row").nth(1).get_by_role("gridcell")

    assert heads.evaluate_all(lefts) == cells.evaluate_all(lefts)
