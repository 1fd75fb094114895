"""Links from outside land: Kiali's, Grafana's, Kibana's and Zipkin's, below a base path and behind a proxy."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser import SIZE
from tests.ui.proxy import stripping_proxy
from tests.ui.scene import BASE_PATH, BROKEN, RICH, RICH_SPAN, Scene

TAGS = quote('{"cached":"true"}')


def expect_the_rich_trace(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("cart post /order")
    expect(page.locator(".span-row")).to_have_count(2)


def expect_the_rich_result(page: Page) -> None:
    expect(page.get_by_role("heading", name="1 trace", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="cart post /order")).to_be_visible()


@pytest.mark.parametrize("base", ["", BASE_PATH])
def test_kialis_link_to_a_span_opens_it(page: Page, scene: Scene, base: str) -> None:
    page.goto(scene.url(f"/trace/{RICH}?uiFind={RICH_SPAN}", base=base))

    expect_the_rich_trace(page)
    expect(page.get_by_role("complementary")).to_contain_text("put /cart")


@pytest.mark.parametrize("base", ["", BASE_PATH])
def test_a_search_of_jaegers_page_asks_the_same_here(page: Page, scene: Scene, base: str) -> None:
    page.goto(
        scene.url(
            f"/search?end=&limit=20&lookback=1h&maxDuration=1s&minDuration=1ms&operation=put%20%2Fcart&service=cart"
            f"&tags={TAGS}",
            base=base,
        )
    )

    expect_the_rich_result(page)
    expect(page.get_by_role("combobox", name="Tags")).to_have_value("cached=true")
    expect(page.get_by_label("Min duration")).to_have_value("1ms")
    expect(page.get_by_label("Limit")).to_have_value("20")
    expect(page.get_by_role("combobox", name="Operation")).to_contain_text("put /cart")


def test_several_trace_ids_in_a_link_are_all_listed_and_those_unknown_told(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/search?traceID={RICH}&traceID={BROKEN}&traceID=77"))

    expect(page.get_by_role("heading", name="2 traces")).to_be_visible()
    expect(page.get_by_text("Not found: 77")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/search", "/dependencies", "/monitor", "/nothing/like/this"])
def test_every_place_below_the_base_path_is_the_page(page: Page, scene: Scene, path: str) -> None:
    page.goto(scene.url(path, base=BASE_PATH))

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{BASE_PATH}/"))
    expect(page.get_by_role("link", name="Monitor")).to_have_attribute("href", f"{BASE_PATH}/monitor")


def test_two_traces_in_a_link_are_compared(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/trace/{RICH}...{BROKEN}"))

    expect(page.get_by_role("link", name="Compare")).to_have_attribute("aria-current", "page")
    expect(page.locator("main")).to_contain_text("post /order")


def test_all_of_it_works_behind_a_proxy_whose_prefix_nobody_told(page: Page, scene: Scene) -> None:
    with stripping_proxy("/any/prefix", scene.clew.url("jaeger")) as front:
        page.goto(f"{front}/search?service=cart&limit=5")
        page.get_by_role("link", name="cart post /order").first.focus()
        page.keyboard.press("Enter")
        expect_the_rich_trace(page)
        expect(page).to_have_url(f"{front}/trace/{RICH}")

        page.reload()
        expect_the_rich_trace(page)


@pytest.mark.parametrize("path", [f"/zipkin/traces/{RICH}", f"/zipkin/trace/{RICH}"])
def test_a_trace_of_zipkins_page_opens_on_zipkins_port(page: Page, scene: Scene, path: str) -> None:
    page.goto(scene.zipkin_url(path))

    expect_the_rich_trace(page)
    expect(page).to_have_url(scene.zipkin_url(f"/zipkin/trace/{RICH}"))


def test_a_search_of_zipkins_page_asks_the_same_here(page: Page, scene: Scene) -> None:
    page.goto(
        scene.zipkin_url(
            "/zipkin/?serviceName=cart&spanName=put%20%2Fcart&annotationQuery=cached%3Dtrue&minDuration=1000"
            "&lookback=1h&limit=7"
        )
    )

    expect_the_rich_result(page)
    expect(page).to_have_url(re.compile(r"/zipkin/search\?service=cart&operation=put\+%2Fcart&"))
    expect(page.get_by_label("Min duration")).to_have_value("1000us")
    expect(page.get_by_label("Limit")).to_have_value("7")


def test_zipkins_port_leads_to_the_page_and_its_dependencies_to_the_graph(page: Page, scene: Scene) -> None:
    page.goto(scene.zipkin_url("/"))
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()

    page.goto(scene.zipkin_url("/zipkin/dependency"))

    expect(page.get_by_role("link", name="Service graph")).to_have_attribute("aria-current", "page")


def test_the_bar_leads_to_a_trace_by_its_id_and_to_several(page: Page, scene: Scene) -> None:
    page.goto(scene.url("/search"))
    field = page.get_by_label("Trace ID", exact=True)

    field.fill(f"{RICH}, {BROKEN}")
    field.press("Enter")
    expect(page.get_by_role("heading", name="2 traces")).to_be_visible()
    field.fill(f" {RICH} ")
    field.press("Enter")

    expect_the_rich_trace(page)


def test_a_narrow_window_shows_the_same(page: Page, scene: Scene) -> None:
    page.set_viewport_size({"width": 700, "height": SIZE["height"]})
    page.goto(scene.url(f"/trace/{RICH}#{RICH_SPAN}"))

    expect_the_rich_trace(page)
    expect(page.get_by_role("complementary")).to_contain_text("put /cart")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
