"""Two traces beside each other in the browser."""

import re
import time

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.process.clew_process import Clew
from tests.ui.looking import Looking
from tests.ui.shop import CLIENT, MS, SERVER, a_span, export_request

BEFORE, AFTER = f"{0xBEF0:032x}", f"{0xAF7E:032x}"


@pytest.fixture(scope="module")
def ids(shop: Clew) -> str:
    """Two traces of one request: the later has a slower query, a retry and a new call, and misses one."""
    now = time.time_ns() - 60 * 10**9

    def span(trace: str, number: int, parent: int | None, name: str, ms: int, kind: int = SERVER) -> dict[str, object]:
        start = now + number * MS
        above = f"{parent:016x}" if parent else None
        return a_span(trace, f"{number:016x}", above, name, kind, start, start + ms * MS, failed=name == "charge")

    before = {
        "web": [span(BEFORE, 1, None, "GET /cart", 100), span(BEFORE, 2, 1, "stock", 20, CLIENT)],
        "db": [span(BEFORE, 3, 1, "select", 30)],
    }
    after = {
        "web": [span(AFTER, 1, None, "GET /cart", 190)],
        "db": [span(AFTER, 3, 1, "select", 60), span(AFTER, 4, 1, "select", 50)],
        "pay": [span(AFTER, 5, 1, "charge", 40)],
    }
    for spans in (before, after):
        httpx.post(f"{shop.url('otlp_http')}/v1/traces", json=export_request(spans)).raise_for_status()
    return f"{BEFORE}...{AFTER}"


def paths(page: Page) -> Locator:
    return page.get_by_role("treegrid").locator("[role=rowgroup] [role=row]")


def test_paths_that_were_added_removed_and_slower_are_told_with_their_differences(look: Looking, ids: str) -> None:
    page = look(f"/trace/{ids}")

    expect(paths(page)).to_have_count(4)
    told = [re.sub(r"\s+", " ", row.inner_text()) for row in paths(page).all()]
    assert told[0].startswith("web GET /cart slower 1 100 ms 190 ms +90 ms (+90%)")
    assert "stock removed 1 → 0 20 ms – −20 ms" in told[1]
    assert "select slower 1 → 2 30 ms 110 ms +80 ms (+267%)" in told[2]
    assert "charge added 1 more errors 0 → 1 – 40 ms +40 ms" in told[3]
    expect(page.locator(".compare-counts")).to_contain_text("1 added")


def test_totals_and_times_by_service_are_told(look: Looking, ids: str) -> None:
    page = look(f"/trace/{ids}")

    totals = page.locator(".compare-totals")
    expect(totals).to_contain_text(re.compile(r"Duration\s*100 ms → 190 ms\s*\+90 ms"))
    expect(totals).to_contain_text(re.compile(r"Spans\s*3 → 4"))
    services = page.get_by_role("table", name="Own time by service")
    expect(services.get_by_role("row")).to_have_count(4)


def test_the_other_way_round_what_was_added_is_removed(look: Looking, ids: str) -> None:
    page = look(f"/trace/{ids}")
    expect(paths(page)).to_have_count(4)

    page.get_by_role("button", name="Swap A and B").click()

    expect(page).to_have_url(re.compile(f"/trace/{AFTER}\\.\\.\\.{BEFORE}$"))
    expect(paths(page).filter(has_text="charge")).to_contain_text("removed")


def test_keys_walk_and_fold_the_tree(look: Looking, ids: str) -> None:
    page = look(f"/trace/{ids}")
    expect(paths(page)).to_have_count(4)
    page.get_by_role("treegrid").focus()

    page.keyboard.press("ArrowDown")
    expect(paths(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(paths(page)).to_have_count(1)
    expect(paths(page).first).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(paths(page)).to_have_count(4)


def test_a_trace_beside_itself_has_no_changes(look: Looking, ids: str) -> None:
    page = look(f"/trace/{BEFORE}...{BEFORE}")

    expect(page.get_by_text("Nothing differs")).to_be_visible()
    page.get_by_role("checkbox", name="Only changes").check()
    expect(paths(page)).to_have_count(0)


def test_two_ids_are_asked_for_and_a_wrong_one_is_named(look: Looking, ids: str) -> None:
    page = look(f"/compare?a={BEFORE}")
    expect(page.get_by_label("Trace A")).to_have_value(BEFORE)

    page.get_by_label("Trace B").fill("no id")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("1 to 32 hexadecimal digits")
    page.get_by_label("Trace B").fill(AFTER)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/trace/{re.escape(ids)}$"))
    expect(paths(page)).to_have_count(4)


def test_a_trace_that_there_is_not_is_named(look: Looking, ids: str) -> None:
    look.expect("404")
    page = look(f"/trace/{BEFORE}...dead")

    expect(page.get_by_role("alert")).to_contain_text("Trace dead is not known")
