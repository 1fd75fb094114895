"""One trace in the browser: its views, its keys, what is told of a span."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.scene import BROKEN, ORPHAN_SPAN, RICH, RICH_SPAN, SKEWED, Scene


def rows(page: Page) -> Locator:
    return page.get_by_role("treegrid").get_by_role("row")


def selected(page: Page) -> Locator:
    return page.locator("[role=row][aria-selected=true]")


def open_trace(page: Page, scene: Scene, trace_id: str, more: str = "") -> None:
    page.goto(scene.url(f"/trace/{trace_id}{more}"))
    expect(rows(page).first).to_be_visible()


def test_a_request_through_a_mesh_shows_sidecars_and_applications_as_one_tree(page: Page, scene: Scene) -> None:
    open_trace(page, scene, scene.chained)

    expect(rows(page)).to_have_count(6)
    expect(page.get_by_role("heading", level=1)).to_contain_text("istio-ingressgateway.istio-system")
    levels = [int(row.get_attribute("aria-level") or 0) for row in rows(page).all()]
    assert levels == sorted(levels)
    told = [("Sidecar" in row.inner_text(), row.inner_text()) for row in rows(page).all()]
    assert [sidecar for sidecar, _ in told] == [True, True, False, False, True, False], told


def test_what_failed_is_told_in_words_and_leads_from_one_to_the_next(page: Page, scene: Scene) -> None:
    open_trace(page, scene, scene.failed)
    failed = page.get_by_role("img", name="Failed")

    page.get_by_role("button", name=re.compile("spans? failed")).click()

    expect(failed.first).to_be_visible()
    expect(selected(page)).to_have_count(1)


def test_keys_walk_fold_and_open_the_tree(page: Page, scene: Scene) -> None:
    open_trace(page, scene, scene.chained)
    page.get_by_role("treegrid").focus()

    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(selected(page)).to_have_attribute("aria-rowindex", "2")
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-activedescendant", "span-1")

    page.keyboard.press("ArrowLeft")
    expect(rows(page)).to_have_count(2)
    expect(selected(page)).to_have_attribute("aria-expanded", "false")

    page.keyboard.press("l")
    expect(rows(page)).to_have_count(6)
    page.keyboard.press("End")
    expect(selected(page)).to_have_attribute("aria-rowindex", "6")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_be_visible()


def test_zooming_by_keys_changes_the_scale_and_zero_shows_all_again(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH)
    ruler = page.locator(".ruler")
    whole = "02 ms4 ms6 ms8 ms10 ms"
    expect(ruler).to_have_text(whole)
    page.get_by_role("treegrid").focus()

    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(ruler).not_to_have_text(whole)
    page.keyboard.press("0")

    expect(ruler).to_have_text(whole)


def test_dragging_over_the_overview_zooms_into_that_part(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH)
    box = page.locator(".minimap").bounding_box()
    assert box is not None
    first, y = page.locator(".ruler span").first, box["y"] + box["height"] / 2
    expect(first).to_have_text("0")

    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    page.mouse.up()

    expect(first).to_have_text(re.compile(r"^5(\.\d)? ms$"))


def test_a_span_tells_all_it_carries_with_types(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH, f"#{RICH_SPAN}")
    details = page.get_by_role("complementary", name="Span")

    expect(details.get_by_role("heading", name="put /cart")).to_be_visible()
    attributes = details.get_by_role("table").first
    for key, value in {
        "text": "<b>not bold</b>",
        "count": "9007199254740993int",
        "ratio": "0.5double",
        "cached": "truebool",
    }.items():
        expect(attributes.get_by_role("row", name=re.compile(f"^{key} ")).get_by_role("cell").first).to_have_text(value)
    expect(attributes.get_by_role("link", name="https://shop.example/cart")).to_be_visible()
    expect(details.get_by_text("cart is full")).to_be_visible()
    expect(details.get_by_text("cart locked")).to_be_visible()
    expect(details.get_by_role("link", name=re.compile(ORPHAN_SPAN))).to_have_attribute(
        "href", f"/trace/{BROKEN}#{ORPHAN_SPAN}"
    )
    details.get_by_text("Resource").click()
    expect(details.get_by_role("row", name=re.compile("^host h1"))).to_be_visible()
    details.get_by_text("Scope").click()
    expect(details.get_by_text("shop.http 1.2")).to_be_visible()
    details.get_by_text("Raw JSON").click()
    raw = json.loads(details.locator(".details-raw").inner_text())
    assert (raw["spanId"], raw["name"]) == (RICH_SPAN, "put /cart")


def test_a_tag_leads_to_the_traces_that_have_it(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH, f"#{RICH_SPAN}")

    page.get_by_role("link", name="Search traces with this tag: cached").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="1 trace", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="cart post /order")).to_have_attribute("href", f"/trace/{RICH}")


@pytest.mark.parametrize("link", [f"#{RICH_SPAN}", f"?uiFind={RICH_SPAN}", "?uiFind=b2"])
def test_a_link_to_one_span_opens_it(page: Page, scene: Scene, link: str) -> None:
    open_trace(page, scene, RICH, link)

    expect(selected(page)).to_contain_text("put /cart")
    expect(page.get_by_role("complementary")).to_contain_text("put /cart")


def test_the_address_follows_what_is_shown(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH)

    rows(page).nth(1).click()
    page.get_by_role("tab", name="Table").click()
    page.get_by_role("searchbox", name="Find in the trace").fill("cart")

    expect(page).to_have_url(scene.url(f"/trace/{RICH}?view=table&uiFind=cart#{RICH_SPAN}"))
    page.reload()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("complementary")).to_contain_text("put /cart")


@pytest.mark.parametrize(
    ("text", "count"), [("put", 1), ("cached=true", 1), ("cart locked", 2), ("host=h1", 2), ("nowhere-to-be-found", 0)]
)
def test_find_looks_into_names_attributes_events_and_resources(page: Page, scene: Scene, text: str, count: int) -> None:
    open_trace(page, scene, RICH)

    page.get_by_role("searchbox", name="Find in the trace").fill(text)

    expect(page.locator(".span-row.matched")).to_have_count(count)


def test_matches_are_walked_by_keys_and_can_be_all_that_is_shown(page: Page, scene: Scene) -> None:
    open_trace(page, scene, scene.chained)
    page.keyboard.press("f")
    page.keyboard.type("compose")
    expect(page.locator(".span-row.matched")).to_have_count(1)

    page.keyboard.press("Enter")
    expect(selected(page)).to_contain_text("compose page")
    page.get_by_role("button", name="Only matches").click()

    expect(rows(page)).to_have_count(4)  # it and those above it


def test_an_orphan_and_a_wrong_clock_are_told(page: Page, scene: Scene) -> None:
    open_trace(page, scene, BROKEN)
    expect(page.get_by_role("img", name="Its parent is not in the trace")).to_be_visible()

    open_trace(page, scene, SKEWED)
    page.get_by_role("button", name=re.compile("ha(s|ve) warnings")).click()
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("clock skew")


def test_clocks_are_corrected_by_the_rule_that_is_chosen(page: Page, scene: Scene) -> None:
    open_trace(page, scene, SKEWED)
    expect(page.locator(".trace-facts")).to_contain_text("3.05 s")

    page.get_by_label("Clock correction").select_option("zipkin")

    expect(page.locator(".trace-facts")).to_contain_text("50 ms")
    expect(page).to_have_url(re.compile("clockSkew=zipkin"))


def test_the_critical_path_is_drawn_and_can_be_left_out(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH)
    expect(page.locator(".critical").first).to_be_visible()

    page.get_by_role("button", name="Critical path").click()

    expect(page.locator(".critical")).to_have_count(0)


def test_the_table_sorts_by_each_column_and_leads_to_a_span(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/trace/{RICH}?view=table"))
    table = page.get_by_role("grid", name="Table")
    first = table.get_by_role("row").nth(1)
    expect(first).to_contain_text("post /order")

    table.get_by_role("button", name="Operation").click()
    table.get_by_role("button", name="Operation").click()
    expect(first).to_contain_text("put /cart")
    first.click()

    expect(page.get_by_role("complementary")).to_contain_text("put /cart")


def test_statistics_tell_self_times_by_service_and_operation(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/trace/{RICH}?view=statistics"))
    table = page.get_by_role("grid", name="Statistics")

    row = table.get_by_role("row").filter(has_text="post /order")
    expect(row).to_contain_text("4 ms")  # 10 ms without the 6 of its child
    expect(row).to_contain_text("40%")
    page.get_by_role("button", name="Service", exact=True).first.click()
    expect(table.get_by_role("row")).to_have_count(2)


def test_the_flame_graph_says_what_is_under_the_pointer(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/trace/{RICH}?view=flame"))
    picture = page.get_by_role("img", name=re.compile("Flame graph of 2 frames"))

    picture.hover(position={"x": 20, "y": 8})

    expect(page.locator(".flame-tip")).to_contain_text("post /order")


@pytest.mark.parametrize(
    ("form", "key"), [("Jaeger JSON", "data"), ("Zipkin JSON", None), ("OTLP JSON", "resourceSpans")]
)
def test_a_trace_is_taken_away_in_each_form(page: Page, scene: Scene, form: str, key: str | None) -> None:
    open_trace(page, scene, RICH)
    page.get_by_role("button", name="Export").click()

    with page.expect_download() as download:
        page.get_by_role("menuitem", name=f"Download as {form}").click()

    found = json.loads(download.value.path().read_text())
    inside = found[key] if key else found
    assert isinstance(inside, list)
    assert RICH_SPAN in json.dumps(inside)


def test_a_trace_that_there_is_not_is_told_with_what_may_be_the_reason(browser_page: Page, scene: Scene) -> None:
    browser_page.goto(scene.url("/trace/123"))

    expect(browser_page.get_by_role("heading", name="There is no trace 123")).to_be_visible()


def test_the_help_lists_the_keys_and_closes(page: Page, scene: Scene) -> None:
    open_trace(page, scene, RICH)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next, previous match")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
