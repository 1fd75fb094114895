"""Rates, errors and durations in the browser."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.ui.looking import Looking
from tests.ui.shop import SERVICES


def rows(page: Page) -> Locator:
    return page.get_by_role("table").locator("tbody").get_by_role("row")


def asked_of(page: Page) -> dict[str, list[str]]:
    expect(page).to_have_url(re.compile("/search"))
    return parse_qs(urlsplit(page.url).query)


def test_every_service_has_a_row_and_that_with_the_most_time_is_first(look: Looking) -> None:
    page = look("/monitor")

    # Beside the shop's there may be the services of other tests.
    for name in SERVICES:
        serves = name != "warehouse"  # which only consumes
        expect(rows(page).get_by_role("link", name=name, exact=True)).to_have_count(int(serves))
    expect(rows(page).first).to_contain_text("gateway")
    assert page.locator("tbody svg path").count() == 3 * rows(page).count()
    page.get_by_role("link", name="payment", exact=True).click()
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["service"] == ["payment"]


def test_a_service_has_charts_and_a_row_for_each_operation(look: Looking) -> None:
    page = look("/monitor?service=gateway")

    expect(page.locator("figure")).to_have_count(3)
    expect(rows(page)).to_have_count(3)
    page.get_by_role("searchbox", name="Find an operation").fill("checkout")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("POST /api/checkout")
    expect(rows(page)).to_contain_text(re.compile(r"[\d.]+ ms"))


def test_another_kind_of_calls_can_be_counted(look: Looking) -> None:
    page = look("/monitor?service=warehouse")
    expect(page.get_by_text("No such calls in this time range")).to_be_visible()
    expect(page.get_by_role("heading", name="Send spans here")).to_be_visible()

    page.get_by_label("Calls", exact=True).select_option("consumer")

    expect(rows(page)).to_contain_text("orders process")


def test_a_click_into_a_chart_leads_to_the_slow_traces_of_that_moment(look: Looking) -> None:
    page = look("/monitor?service=payment")
    chart = page.get_by_role("slider", name="Duration")
    area = chart.locator(".u-over")
    box = area.bounding_box()
    assert box is not None

    # The locator waits until the charts above have taken their places.
    area.click(position={"x": box["width"] * 0.8, "y": 5})
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name=re.compile("and more")).click()

    asked = asked_of(page)
    assert asked["service"] == ["payment"]
    assert re.fullmatch(r"[0-9]+(us|ms|s)", asked["minDuration"][0])
    assert int(asked["end"][0]) - int(asked["start"][0]) == 60 * 10**6


def test_keys_choose_a_moment_and_enter_shows_what_is_behind(look: Looking) -> None:
    page = look("/monitor?service=gateway")
    chart = page.get_by_role("slider", name="Calls per second")
    expect(chart.locator("canvas")).to_be_visible()

    chart.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("Calls per second"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Failed traces").click()

    assert asked_of(page)["tags"] == ['{"error":"true"}']


def test_a_row_leads_to_its_traces(look: Looking) -> None:
    page = look("/monitor?service=gateway")

    page.get_by_role("link", name="Find traces of POST /api/checkout").click()

    asked = asked_of(page)
    assert (asked["service"], asked["operation"]) == (["gateway"], ["POST /api/checkout"])


def test_the_range_stands_in_the_address_and_comes_back(look: Looking) -> None:
    page = look("/monitor?service=gateway&lookback=15m")
    expect(page.get_by_label("Time range")).to_have_value("15m")

    page.get_by_label("Time range").select_option("3h")

    expect(page).to_have_url(re.compile("lookback=3h"))
    page.get_by_label("Time range").select_option("custom")
    expect(page.get_by_label("From", exact=True)).to_be_visible()
    assert {"start", "end"} <= parse_qs(urlsplit(page.url).query).keys()


def test_what_the_server_refuses_is_told_and_can_be_tried_again(look: Looking) -> None:
    look.expect("503")
    page = look("/monitor?service=gateway&lookback=2d")
    expect(rows(page).first).to_be_visible()
    refusal = '{"errors":[{"msg":"the store is away"}]}'
    page.route("**/api/metrics/**", lambda route: route.fulfill(status=503, body=refusal))

    page.get_by_label("Time range").select_option("7d")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("the store is away")
    page.unroute("**/api/metrics/**")
    page.get_by_role("button", name="Try again").click()

    expect(page.locator("figure")).to_have_count(3)
