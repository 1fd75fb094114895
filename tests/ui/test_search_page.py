"""Searching in the browser."""

import re
import time
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.ui.scene import GIANT, RICH, Scene


def results(page: Page) -> Any:
    return page.get_by_role("list", name="Traces found").locator("> li")


def test_without_a_question_the_newest_traces_are_there(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/"))

    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^1\d traces$"))
    giant = results(page).filter(has=page.locator(f'a[href="/trace/{GIANT}"]'))
    page.get_by_label("Sort").select_option("Most spans")
    expect(results(page).first).to_contain_text("50,000 spans")
    expect(giant).to_contain_text("gateway")
    expect(giant).to_contain_text("8 s")
    expect(giant).to_contain_text("errors")


def test_a_search_is_typed_and_becomes_the_address(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search"))

    page.get_by_role("combobox", name="Service").click()
    page.keyboard.type("car")
    page.get_by_role("option", name="cart").click()
    page.get_by_role("combobox", name="Operation").click()
    page.get_by_role("option", name="put /cart").click()
    page.get_by_label("Min duration").fill("1ms")
    page.get_by_label("Limit").fill("7")
    page.get_by_label("Time range").select_option("6h")
    page.get_by_role("button", name="Find traces").click()

    expect(page).to_have_url(
        scene.url("/search?service=cart&operation=put+%2Fcart&minDuration=1ms&limit=7&lookback=6h")
    )
    expect(results(page).filter(has=page.locator(f'a[href="/trace/{RICH}"]'))).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("combobox", name="Service")).to_contain_text("All services")


def test_keys_and_values_of_tags_are_completed_from_the_store(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search?service=cart"))
    tags = page.get_by_role("combobox", name="Tags")

    tags.click()
    page.keyboard.type("cach")
    page.get_by_role("option", name="cached").click()
    expect(tags).to_have_value("cached=")
    page.get_by_role("option", name=re.compile("^true")).click()
    expect(tags).to_have_value("cached=true ")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Find traces").click()

    expect(page.get_by_role("heading", name="1 trace", exact=True)).to_be_visible()


def test_what_cannot_be_asked_is_told_beside_its_field_and_not_asked(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search"))

    page.get_by_label("Min duration").fill("5 parsecs")
    page.get_by_label("Trace IDs").fill("xyz")
    page.get_by_role("button", name="Find traces").click()

    expect(page.get_by_text("Expected a number with ns, us, ms, s, m or h")).to_be_visible()
    expect(page.get_by_text("Expected 1 to 32 hex digits, got xyz")).to_be_visible()
    expect(page).to_have_url(scene.url("/search"))


def test_a_search_that_finds_nothing_says_what_to_try(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search?service=nobody&limit=5"))

    expect(page.get_by_text("No traces found")).to_be_visible()


def test_a_custom_range_keeps_its_two_moments(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search?start=1700000000000000&end=1700003600000000&lookback=custom"))

    expect(page.get_by_label("Time range")).to_have_value("custom")
    expect(page.get_by_text("No traces found")).to_be_visible()
    page.get_by_role("button", name="Find traces").click()
    expect(page).to_have_url(re.compile("lookback=custom&start=1700000000000000&end=1700003600000000"))


def test_live_shows_a_new_trace_as_it_arrives(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search?service=newcomer&lookback=15m"))
    expect(page.get_by_text("No traces found")).to_be_visible()

    page.get_by_role("button", name="Live").click()
    span = {
        "traceId": "00000000000000000000000000000e01",
        "id": "0000000000000e01",
        "name": "hello",
        "timestamp": time.time_ns() // 1000,
        "duration": 1000,
        "localEndpoint": {"serviceName": "newcomer"},
    }
    httpx.post(f"{scene.clew.url('zipkin')}/api/v2/spans", json=[span]).raise_for_status()

    expect(page.get_by_role("link", name="newcomer hello")).to_be_visible()


def test_two_traces_that_are_chosen_are_compared(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search?traceID=" + f"{RICH}&traceID={scene.chained}"))
    compare = page.get_by_role("button", name="Compare the two")
    expect(compare).to_be_disabled()

    for box in page.get_by_role("checkbox").all():
        box.check()
    compare.click()

    expect(page).to_have_url(re.compile(r"/trace/[0-9a-f]+\.\.\.[0-9a-f]+"))


def test_a_point_of_the_plot_opens_its_trace(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/search?traceID={RICH}"))
    plot = page.get_by_role("img", name=re.compile("Duration of 1 traces"))
    box = plot.bounding_box()
    assert box is not None

    for part in range(20, 80):
        page.mouse.move(box["x"] + box["width"] * part / 100, box["y"] + 20)
        if page.locator(".scatter-tip").is_visible():
            break
    expect(page.locator(".scatter-tip")).to_contain_text("post /order")
    page.mouse.down()

    expect(page).to_have_url(scene.url(f"/trace/{RICH}"))


def test_an_answer_that_is_an_error_is_told_in_the_servers_words(browser_page: Page, scene: Scene) -> None:
    refusal = {"status": 503, "body": '{"errors":[{"code":503,"msg":"cannot read duckdb: disk gone"}]}'}
    browser_page.route("**/trace-summaries*", lambda route: route.fulfill(**refusal))
    browser_page.goto(scene.url("/search"))

    expect(browser_page.get_by_role("alert")).to_contain_text("cannot read duckdb: disk gone")
    browser_page.unroute("**/trace-summaries*")
    browser_page.get_by_role("button", name="Try again").click()

    expect(results(browser_page).first).to_be_visible()
