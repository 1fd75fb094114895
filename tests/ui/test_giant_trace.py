"""A trace of 50,000 spans: it opens, and the page holds what is in sight. Times are recorded, not asserted."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.ui.scene import GIANT, GIANT_SPANS, Scene

Record = Callable[[str, object], None]

SCROLL = """async () => {
  const body = document.querySelector('.waterfall-body'), frames = [];
  for (let at = 0, last = performance.now(); at < 100; at++) {
    body.scrollTop += 700;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames.sort((a, b) => a - b);
}"""


def test_it_opens_and_only_the_rows_in_sight_are_in_the_page(page: Page, scene: Scene, record_property: Record) -> None:
    begin_s = time.monotonic()
    page.goto(scene.url(f"/trace/{GIANT}"))
    page.locator(".span-row").first.wait_for()
    record_property("opened_s", round(time.monotonic() - begin_s, 2))

    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", str(GIANT_SPANS))
    assert page.locator(".span-row").count() < 80
    assert page.evaluate("document.querySelectorAll('*').length") < 2500


def test_it_scrolls_from_end_to_end(page: Page, scene: Scene, record_property: Record) -> None:
    page.goto(scene.url(f"/trace/{GIANT}"))
    page.locator(".span-row").first.wait_for()

    frames_ms = page.evaluate(SCROLL)
    record_property("scroll_frame_p50_ms", round(frames_ms[50], 1))
    record_property("scroll_frame_p95_ms", round(frames_ms[95], 1))
    page.get_by_role("treegrid").focus()
    page.keyboard.press("End")

    expect(page.locator("[role=row][aria-selected=true]")).to_have_attribute("aria-rowindex", str(GIANT_SPANS))
    assert page.locator(".span-row").count() < 80


def test_one_of_its_spans_is_found_by_what_it_carries(page: Page, scene: Scene, record_property: Record) -> None:
    page.goto(scene.url(f"/trace/{GIANT}"))
    page.locator(".span-row").first.wait_for()

    begin_s = time.monotonic()
    page.get_by_role("searchbox", name="Find in the trace").fill("/items/49999")
    expect(page.locator(".find-count")).to_have_text(re.compile("of 1$"))
    record_property("found_s", round(time.monotonic() - begin_s, 2))
    page.get_by_role("button", name="Next match").click()

    expect(page.get_by_role("complementary").get_by_role("cell", name="/items/49999")).to_be_visible()


def test_every_view_of_it_opens(page: Page, scene: Scene) -> None:
    page.goto(scene.url(f"/trace/{GIANT}"))
    page.get_by_role("tab", name="Flame graph").click()
    expect(page.get_by_role("img", name=re.compile("Flame graph of"))).to_be_visible()
    page.get_by_role("tab", name="Table").click()
    expect(page.get_by_role("grid", name="Table")).to_have_attribute("aria-rowcount", str(GIANT_SPANS + 1))
    assert page.get_by_role("row").count() < 100
    page.get_by_role("tab", name="Statistics").click()
    expect(page.get_by_role("grid", name="Statistics").get_by_role("row").nth(1)).to_be_visible()
