"""A trace is kept beyond the retention where there is an archive, and nothing offers that where there is none."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from query.ui.build_hook import build_page
from tests.process.clew_process import Clew
from tests.ui.compare_ids import two_checkouts
from tests.ui.looking import Looking

TRACE_ID = "00000000000000aa00000000000000aa"


@pytest.fixture
def archiving(tmp_path: Path) -> Iterator[Clew]:
    build_page()
    archive = f"duckdb:///{tmp_path}/archive.duckdb"
    with Clew(tmp_path, CLEW_STORAGE_URL="memory:", CLEW_ARCHIVE_URL=archive) as clew:
        span = {"traceId": TRACE_ID, "id": "00000000000000a1", "name": "get", "timestamp": time.time_ns() // 1000}
        httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=[span]).raise_for_status()
        yield clew


@pytest.mark.parametrize(("door", "prefix"), [("jaeger", ""), ("zipkin", "/zipkin")])
def test_a_trace_is_archived_by_a_button_on_both_ports(look: Looking, archiving: Clew, door: str, prefix: str) -> None:
    page = look(f"{prefix}/trace/{TRACE_ID}", door=door, clew=archiving)

    page.get_by_role("button", name="Archive").click()

    expect(page.get_by_role("button", name="Archived")).to_be_disabled()


def test_what_the_archive_refuses_is_told(look: Looking, archiving: Clew) -> None:
    page = look(f"/trace/{TRACE_ID}", clew=archiving)
    page.route("**/api/archive/*", lambda route: route.fulfill(status=503, json={"errors": [{"msg": "disk is full"}]}))
    look.expect("503")

    page.get_by_role("button", name="Archive").click()

    expect(page.get_by_text("disk is full")).to_be_visible()


def test_without_an_archive_there_is_no_button(look: Looking, shop: Clew) -> None:
    page = look(f"/trace/{two_checkouts(shop).partition('...')[0]}")

    expect(page.get_by_role("button", name="Export")).to_be_visible()
    expect(page.get_by_role("button", name="Archive")).to_have_count(0)
