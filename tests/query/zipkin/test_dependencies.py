"""/dependencies (reference 1.7); what links there are is the store's contract."""

import pytest

from tests.builders import DAY, MS, TODAY_NS, US, a_zipkin_trace
from tests.query.zipkin.conftest import NOW_NS, Door, OpenDoor

TODAY_MS = TODAY_NS // MS
NOW_MS = NOW_NS // MS

LINKS = [
    {"parent": "backend", "child": "db", "callCount": 1, "errorCount": 1},
    {"parent": "frontend", "child": "backend", "callCount": 1},
]


async def test_dependencies_count_calls_and_errors(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    response = await door.get("/api/v2/dependencies", endTs=NOW_MS)

    assert sorted(response.json(), key=lambda link: str(link["parent"])) == LINKS
    assert response.headers["content-type"] == "application/json"


async def test_dependencies_is_an_empty_array_when_nothing_is_stored(door: Door) -> None:
    response = await door.get("/api/v2/dependencies", endTs=NOW_MS)

    assert (response.status_code, response.content) == (200, b"[]")


@pytest.mark.parametrize(
    ("end_ts", "lookback", "count"),
    [
        (TODAY_MS + 100, 200, 2),
        (TODAY_MS, 1, 2),
        (TODAY_MS + 1, 1, 2),
        (TODAY_MS + 2, 1, 0),
        (TODAY_MS - 1, 1000, 0),
        (TODAY_MS + 2 * 86_400_000, 86_400_000, 0),
        (2**63 - 1, 2**63 - 1, 2),
    ],
)
async def test_dependencies_are_of_the_traces_in_the_window_both_ends_included(
    door: Door, end_ts: int, lookback: int, count: int
) -> None:
    door.write(*a_zipkin_trace(1))

    assert len(await door.json("/api/v2/dependencies", endTs=end_ts, lookback=lookback)) == count


@pytest.mark.parametrize(("lookback_ms", "count"), [(86_400_000, 2), (1000, 0)])
async def test_dependencies_look_back_as_far_as_the_setting_when_not_told(
    open_door: OpenDoor, lookback_ms: int, count: int
) -> None:
    door = open_door(lookback_ms=lookback_ms)
    door.write(*a_zipkin_trace(1, start_ns=NOW_NS - DAY + US))

    assert len(await door.json(f"/api/v2/dependencies?endTs={NOW_MS}&lookback=")) == count


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ("", "Mandatory parameter/header/attribute is missing: endTs"),
        ("lookback=1", "Mandatory parameter/header/attribute is missing: endTs"),
        ("endTs=", "Cannot set null to primitive type parameter: endTs"),
        ("endTs=x", 'For input string: "x"'),
        ("endTs=1&lookback=x", 'For input string: "x"'),
        ("endTs=0", "endTs <= 0"),
        ("endTs=1&lookback=0", "lookback <= 0"),
        ("endTs=1&lookback=-1", "lookback <= 0"),
    ],
)
async def test_dependencies_are_refused_with_zipkins_text(door: Door, parameters: str, text: str) -> None:
    assert await door.refusal(f"/api/v2/dependencies?{parameters}") == text
