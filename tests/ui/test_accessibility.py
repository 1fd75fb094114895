"""The shell, search and trace: no serious finding of axe-core in either theme, and all of it by keyboard."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.browser import THEMES, Complaints, Theme, a_context, serious_findings
from tests.ui.scene import BROKEN, GIANT, RICH, RICH_SPAN, Scene

PLACES = {
    "search": "/search",
    "search without results": "/search?service=nobody",
    "waterfall": f"/trace/{RICH}#{RICH_SPAN}",
    "broken trace": f"/trace/{BROKEN}",
    "giant trace": f"/trace/{GIANT}",
    "flame graph": f"/trace/{RICH}?view=flame",
    "table": f"/trace/{RICH}?view=table",
    "statistics": f"/trace/{RICH}?view=statistics",
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("place", PLACES)
def test_no_serious_finding(browser: Browser, scene: Scene, place: str, theme: Theme) -> None:
    with a_context(browser, theme=theme) as context:
        page = context.new_page()
        complaints = Complaints(page)
        page.goto(scene.url(PLACES[place]))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")

        assert serious_findings(page) == []
        assert complaints == []


@pytest.mark.parametrize("theme", THEMES)
def test_an_open_menu_and_an_open_dialog_have_no_serious_finding(browser: Browser, scene: Scene, theme: Theme) -> None:
    with a_context(browser, theme=theme) as context:
        page = context.new_page()
        page.goto(scene.url(f"/trace/{RICH}"))
        page.get_by_role("button", name="Export").click()
        expect(page.get_by_role("menuitem").first).to_be_visible()
        assert serious_findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert serious_findings(page) == []


def test_the_first_tab_skips_to_the_content(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_a_trace_is_searched_and_opened_by_keys_alone(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search"))
    service = page.get_by_role("combobox", name="Service")
    service.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("cart")
    page.keyboard.press("Enter")
    expect(service).to_contain_text("cart")
    page.get_by_label("Limit").press("Enter")
    link = page.get_by_role("link", name="cart post /order").first
    expect(link).to_be_visible()
    link.press("Enter")

    expect(page.get_by_role("treegrid")).to_be_visible()


def test_the_theme_is_the_systems_until_another_is_chosen_which_is_kept(page: Page, scene: Scene) -> None:
    root = page.locator("html")
    page.goto(scene.url("/search"))
    expect(root).to_have_attribute("data-theme", "light")

    page.get_by_role("button", name="Dark theme").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()

    expect(root).to_have_attribute("data-theme", "dark")


def test_the_language_is_the_browsers_until_another_is_chosen(browser: Browser, scene: Scene) -> None:
    with a_context(browser, locale="ko-KR") as context:
        page = context.new_page()
        page.goto(scene.url("/search"))
        expect(page.get_by_role("button", name="트레이스 찾기")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "ko")

        page.get_by_role("button", name="English").click()

        expect(page.get_by_role("button", name="Find traces")).to_be_visible()
