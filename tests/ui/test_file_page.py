"""Files with traces in the browser: shown, and not stored."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.process.clew_process import Clew
from tests.ui.looking import Looking
from tests.ui.shop import MS, SERVER, a_span, export_request

AFile = Callable[[str, str], Path]
NOW = 1_700_000_000 * 10**9
TRACE = f"{0xF11E:032x}"


def otlp(trace: str = TRACE, name: str = "GET /file") -> dict[str, Any]:
    root = a_span(trace, f"{1:016x}", None, name, SERVER, NOW, NOW + 30 * MS, {"from": "a file"})
    below = a_span(trace, f"{2:016x}", f"{1:016x}", "query", SERVER, NOW + MS, NOW + 9 * MS)
    return export_request({"filed": [root], "db": [below]})


def choose(page: Page, *paths: Path) -> None:
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])


def drop(page: Page, name: str, text: str) -> None:
    """As a browser tells of a file that is dropped."""
    data = page.evaluate_handle(
        "([name, text]) => { const data = new DataTransfer(); data.items.add(new File([text], name)); return data; }",
        [name, text],
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Drop to open")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": data})


def test_a_file_with_one_trace_is_shown_as_a_stored_one_is(look: Looking, a_file: AFile, shop: Clew) -> None:
    page = look("/file")

    choose(page, a_file("one.json", json.dumps(otlp())))

    expect(page.get_by_role("heading", level=1)).to_contain_text("filed")
    tree = page.get_by_role("treegrid")
    expect(tree.locator("[role=rowgroup] [role=row], [role=row]").filter(has_text="query")).to_be_visible()
    expect(page.get_by_text("From one.json: shown, not stored.")).to_be_visible()
    assert httpx.get(f"{shop.url('jaeger')}/api/traces/{TRACE}").status_code == 404


def test_the_spans_of_a_file_tell_what_they_carry(look: Looking, a_file: AFile) -> None:
    page = look("/file")
    choose(page, a_file("one.json", json.dumps(otlp())))

    page.get_by_role("treegrid").focus()
    page.keyboard.press("Home")

    expect(page.get_by_role("complementary", name="Span")).to_contain_text("a file")


def test_files_of_each_format_are_listed_together(look: Looking, a_file: AFile, shop: Clew, tmp_path: Path) -> None:
    jaeger = httpx.get(f"{shop.url('jaeger')}/api/traces?service=checkout&limit=2").text
    zipkin = httpx.get(f"{shop.url('zipkin')}/api/v2/traces?serviceName=email&limit=1").text
    packed = tmp_path / "zipkin.json.gz"
    packed.write_bytes(gzip.compress(zipkin.encode()))
    lines = "\n".join(json.dumps(otlp(f"{n:032x}", f"GET /{n}")) for n in (1, 2))
    page = look("/file")

    choose(page, a_file("jaeger.json", jaeger), packed, a_file("collector.jsonl", lines))

    rows = page.get_by_role("table", name="Traces in the files").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(5)
    expect(rows.filter(has_text="collector.jsonl")).to_have_count(2)
    page.get_by_role("button", name="GET /2").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("GET /2")
    page.get_by_role("button", name="All traces of the files").click()
    expect(rows).to_have_count(5)


def test_a_file_that_is_dropped_anywhere_is_opened(look: Looking) -> None:
    page = look("/dependencies")
    expect(page.locator("svg [role=button]").first).to_be_visible()

    drop(page, "dropped.json", json.dumps(otlp()))

    expect(page.get_by_text("From dropped.json: shown, not stored.")).to_be_visible()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>no</html>", "is no JSON"),
        ('{"resourceLogs":[]}', "got OTLP logs"),
        ("", "got an empty file"),
        ('{"a":1}', "an object with `a`"),
    ],
)
def test_what_is_no_trace_is_told_in_words(look: Looking, a_file: AFile, text: str, said: str) -> None:
    look.expect("400")
    page = look("/file")

    choose(page, a_file("wrong.txt", text))

    expect(page.get_by_role("alert")).to_contain_text("wrong.txt cannot be shown")
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_spans_that_are_left_out_are_told(look: Looking, a_file: AFile) -> None:
    document = otlp()
    document["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"traceId": "xyz", "spanId": "1"})
    page = look("/file")

    choose(page, a_file("half.json", json.dumps(document)))

    expect(page.get_by_role("alert")).to_contain_text("1 spans of half.json are not shown")
    expect(page.get_by_role("heading", level=1)).to_contain_text("filed")


def test_a_file_that_is_too_large_names_the_setting(look: Looking, a_file: AFile) -> None:
    look.expect("413")
    page = look("/file")

    choose(page, a_file("large.json", " " * (33 << 20)))

    expect(page.get_by_role("alert")).to_contain_text("CLEW_MAX_INFLATED_BYTES")


def test_zipkins_trace_viewer_leads_here(look: Looking) -> None:
    page = look("/zipkin/traceViewer", door="zipkin")

    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
