"""How to send spans, and what comes in, in the browser."""

import re
import time

import httpx
from playwright.sync_api import Page, expect

from tests.process.clew_process import Clew
from tests.ui.looking import Looking


def test_the_recipes_name_this_host_and_the_ports_that_are_open(look: Looking, shop: Clew) -> None:
    page = look("/doors")
    zipkin_port, otlp_port = shop.doors["zipkin"].rpartition(":")[2], shop.doors["otlp_http"].rpartition(":")[2]

    expect(page.get_by_role("tabpanel")).to_contain_text(f"address: 127.0.0.1:{zipkin_port}")
    page.get_by_role("tab", name="OpenTelemetry SDK").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(f"http://127.0.0.1:{otlp_port}")


def test_tabs_are_walked_by_arrow_keys_and_a_recipe_is_copied(look: Looking) -> None:
    page = look("/doors", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("tab", name="Istio").focus()

    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="OpenTelemetry SDK")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Copy OpenTelemetry SDK").click()

    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert "OTEL_TRACES_EXPORTER=otlp" in page.evaluate("navigator.clipboard.readText()")


def test_an_empty_store_says_how_to_send_and_counts_what_comes_in(look: Looking, empty: Clew) -> None:
    page = look("/dependencies", clew=empty)
    expect(page.get_by_role("heading", name="Send spans here")).to_be_visible()
    door = page.get_by_role("row").filter(has_text="Zipkin, HTTP")
    expect(door).to_contain_text("no spans yet")

    span = {"traceId": "1", "id": "2", "name": "first", "timestamp": time.time_ns() // 1000}
    httpx.post(f"{empty.url('zipkin')}/api/v2/spans", json=[span]).raise_for_status()

    expect(door).to_contain_text("spans are coming in")
    expect(door.get_by_role("cell").last).to_have_text("1")


def test_refused_spans_are_told_with_their_reason(look: Looking, empty: Clew) -> None:
    page = look("/doors", clew=empty)
    door = page.get_by_role("row").filter(has_text="OTLP, HTTP")
    expect(door).to_contain_text("no spans yet")

    bad = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz", "spanId": "1"}]}]}]}
    httpx.post(f"{empty.url('otlp_http')}/v1/traces", json=bad).raise_for_status()

    expect(door).to_contain_text("spans are being lost")
    expect(door).to_contain_text(re.compile(r"since the start: invalid_trace_id 1"))


def shown_on_both(page: Page) -> None:
    expect(page.get_by_role("table", name="What comes in")).to_be_visible()


def test_the_page_of_zipkins_port_counts_the_same_doors(look: Looking) -> None:
    shown_on_both(look("/doors"))
    shown_on_both(look("/zipkin/doors", door="zipkin"))
