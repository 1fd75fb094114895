"""GET /api/dependencies: reference section 2."""

import pytest

from tests.builders import DAY, MS, TODAY_NS, a_zipkin_trace
from tests.query.jaeger.conftest import NOW_NS, Door

FRONT_TO_BACK = {"parent": "frontend", "child": "backend", "callCount": 1}
BACK_TO_DB = {"parent": "backend", "child": "db", "callCount": 1}


async def test_the_links_of_the_window_are_listed(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    assert await door.json("/api/dependencies") == {
        "data": [BACK_TO_DB, FRONT_TO_BACK],
        "total": 0,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }


async def test_no_links_are_an_empty_list(door: Door) -> None:
    assert await door.data("/api/dependencies") == []


async def test_the_links_that_touch_a_service_can_be_asked_for(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    assert await door.data("/api/dependencies", service="db") == [BACK_TO_DB]
    assert await door.data("/api/dependencies", service="backend") == [BACK_TO_DB, FRONT_TO_BACK]
    assert await door.data("/api/dependencies", service="nobody") == []


@pytest.mark.parametrize(
    ("start_ns", "parameters", "found"),
    [
        (NOW_NS - DAY, {}, True),
        (NOW_NS - DAY - 1, {}, False),
        (NOW_NS + MS, {}, False),
        (TODAY_NS, {"endTs": TODAY_NS // MS, "lookback": 0}, True),
        (TODAY_NS + MS, {"endTs": TODAY_NS // MS, "lookback": 1000}, False),
        (TODAY_NS - 999 * MS, {"endTs": TODAY_NS // MS, "lookback": 1000}, True),
        (TODAY_NS - 1001 * MS, {"endTs": TODAY_NS // MS, "lookback": 1000}, False),
        (TODAY_NS, {"endTs": "", "lookback": ""}, True),
    ],
)
async def test_the_window_ends_at_end_ts_and_is_as_long_as_the_lookback(
    door: Door, start_ns: int, parameters: dict[str, object], found: bool
) -> None:
    door.write(*a_zipkin_trace(1, start_ns=start_ns))

    assert bool(await door.data("/api/dependencies", **parameters)) is found


@pytest.mark.parametrize("name", ["endTs", "lookback"])
async def test_a_bad_number_is_refused(door: Door, name: str) -> None:
    assert await door.refusal("/api/dependencies", **{name: "x"}) == (
        f"unable to parse param '{name}': strconv.ParseInt: parsing \"x\": invalid syntax"
    )
