"""clew's own list of traces: GET /api/clew/v1/trace-summaries."""

import json
from urllib.parse import quote

import pytest

from tests.builders import MS, TODAY_NS, US, a_span, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.jaeger.conftest import Door

PATH = "/api/clew/v1/trace-summaries"
WINDOW = f"start={TODAY_NS // US}&end={(TODAY_NS + 3600 * 10**9) // US}"


async def test_a_trace_is_listed_with_its_root_times_counts_and_services(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    found = await door.json(f"{PATH}?service=frontend&{WINDOW}")

    assert found == {
        "summaries": [
            {
                "traceId": a_trace_id(1).hex(),
                "rootService": "frontend",
                "rootOperation": "get",
                "startTimeUnixNano": str(TODAY_NS),
                "durationNano": str(350 * MS),
                "spanCount": 4,
                "errorCount": 1,
                "orphanCount": 0,
                "services": [
                    {"name": "backend", "spanCount": 2, "errorCount": 1},
                    {"name": "frontend", "spanCount": 2, "errorCount": 0},
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("condition", "traces"),
    [
        ("", [2, 1]),
        ("service=backend", [2]),
        ("operation=pay", [2]),
        (f"tags={quote(json.dumps({'k': 'v'}))}", [1]),
        ("tag=k%3Av", [1]),
        ("minDuration=150ms", [1]),
        ("maxDuration=150ms", [2]),
        ("limit=1", [2]),
        ("service=nobody", []),
    ],
)
async def test_a_search_takes_the_conditions_of_jaegers_and_needs_no_service(
    door: Door, condition: str, traces: list[int]
) -> None:
    door.write(
        a_span(1, attributes={"k": "v"}, duration_ns=200 * MS, start_ns=TODAY_NS),
        a_span(2, service="backend", name="pay", duration_ns=100 * MS, start_ns=TODAY_NS + MS),
    )

    found = await door.json(f"{PATH}?{WINDOW}&{condition}")

    assert [one["traceId"] for one in found["summaries"]] == [a_trace_id(number).hex() for number in traces]


async def test_a_trace_that_is_still_arriving_is_listed_as_far_as_it_came(door: Door) -> None:
    door.write(a_span(span=2, parent=1))

    (before,) = (await door.json(f"{PATH}?{WINDOW}"))["summaries"]
    door.write(a_span(span=1, name="root", start_ns=TODAY_NS))
    (after,) = (await door.json(f"{PATH}?{WINDOW}"))["summaries"]

    assert (before["rootOperation"], before["orphanCount"], before["spanCount"]) == ("", 1, 1)
    assert (after["rootOperation"], after["orphanCount"], after["spanCount"]) == ("root", 0, 2)


async def test_the_spans_without_a_start_of_a_trace_are_counted(door: Door) -> None:
    door.write(a_span(), a_zipkin_span(span=2, parent=1, start_ns=None, duration_ns=None))

    (found,) = (await door.json(f"{PATH}?{WINDOW}"))["summaries"]

    assert (found["spanCount"], found["durationNano"]) == (2, str(200 * MS))


async def test_a_wrong_parameter_is_refused(door: Door) -> None:
    assert "some" in await door.refusal(PATH, limit="some")


async def test_traces_are_listed_by_their_ids_whatever_else_is_asked(door: Door) -> None:
    door.write(a_span(1), a_span(2), a_span(3))
    one, other = a_trace_id(3).hex(), a_trace_id(1).hex()

    found = await door.json(f"{PATH}?traceID={one}&traceID={other}&traceID=99&service=nobody")

    assert [summary["traceId"] for summary in found["summaries"]] == [one, other]
