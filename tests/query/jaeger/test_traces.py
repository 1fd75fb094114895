"""GET /api/traces and /api/traces/{id}: reference sections 2 and 5.3."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from storage.span import Event, Resource, SpanKind, StatusCode
from tests.builders import (
    BACKEND,
    DAY,
    FRONTEND,
    HOUR,
    MS,
    TODAY_NS,
    US,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
)
from tests.query.jaeger.conftest import NOW_NS, Door, OpenDoor

ONE, TWO = a_trace_id(1).hex(), a_trace_id(2).hex()


def ids(traces: list[Any]) -> list[str]:
    return [trace["traceID"] for trace in traces]


async def test_a_trace_is_found_by_its_id(door: Door) -> None:
    door.write(*a_zipkin_trace(1), *a_zipkin_trace(2))

    answer = await door.json(f"/api/traces/{ONE}")

    assert ids(answer["data"]) == [ONE]
    assert (answer["total"], answer["limit"], answer["offset"], answer["errors"]) == (0, 0, 0, None)


@pytest.mark.parametrize("path", ["aa", "00000000000000aa", "0" * 30 + "AA", "AAAAAAAAAKo="])
async def test_a_short_trace_id_is_found_in_every_form(door: Door, path: str) -> None:
    door.write(a_span(a_short_trace_id(0xAA)))

    assert ids(await door.data(f"/api/traces/{path}")) == ["00000000000000aa"]


async def test_an_unknown_trace_is_404_with_an_envelope_for_kiali_reads_only_the_body(door: Door) -> None:
    response = await door.get(f"/api/traces/{ONE}")

    assert response.status_code == 404
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.text == (
        '{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]}\n'
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("xyz", 'strconv.ParseUint: parsing "xyz": invalid syntax'),
        ("1" * 33, f"TraceID cannot be longer than 32 hex characters: {'1' * 33}"),
        (f"{ONE}?start=x", "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax"),
        (f"{ONE}?raw=maybe", "unable to parse param 'raw': strconv.ParseBool: parsing \"maybe\": invalid syntax"),
    ],
)
async def test_a_bad_request_for_a_trace_is_400(door: Door, path: str, message: str) -> None:
    assert await door.refusal(f"/api/traces/{path}") == message


@pytest.mark.parametrize("hints", [{"start": 1, "end": 2}, {"start": "", "end": ""}, {"start": TODAY_NS // MS}])
async def test_time_hints_do_not_filter_a_trace_by_id(door: Door, hints: dict[str, object]) -> None:
    """Some releases of Grafana send them in milliseconds."""
    door.write(a_span())

    assert ids(await door.data(f"/api/traces/{ONE}", **hints)) == [ONE]


async def test_a_raw_trace_is_not_adjusted(door: Door) -> None:
    door.write(*a_zipkin_trace())

    (raw,) = await door.data(f"/api/traces/{ONE}", raw="true")
    (adjusted,) = await door.data(f"/api/traces/{ONE}", raw="false")

    assert [span["spanID"][-1] for span in raw["spans"]] == ["1", "2", "2", "3"]
    assert [span["spanID"][-1] for span in adjusted["spans"]] == ["1", "2", "4", "3"]


async def test_a_pretty_trace_is_indented_by_four_spaces(door: Door) -> None:
    door.write(a_span())

    response = await door.get(f"/api/traces/{ONE}", prettyPrint="true")

    assert response.text.startswith('{\n    "data": [\n        {\n            "traceID"')


async def test_a_value_that_json_cannot_hold_does_not_cost_the_trace(door: Door) -> None:
    """Jaeger answers 500 for a trace with a NaN."""
    door.write(a_span(attributes={"ratio": float("nan"), "limit": float("inf")}))

    (trace,) = await door.data(f"/api/traces/{ONE}")

    assert [(tag["type"], tag["value"]) for tag in trace["spans"][0]["tags"]] == [
        ("float64", "+Inf"),
        ("float64", "NaN"),
    ]


async def test_several_traces_are_found_by_their_ids_and_the_missing_named(door: Door) -> None:
    door.write(a_span(1), a_span(2))

    answer = await door.json(f"/api/traces?traceID={TWO}&traceID=ab&traceID={ONE}&service=ignored&limit=1")

    assert ids(answer["data"]) == [TWO, ONE]
    assert answer["errors"] == [{"msg": "trace not found", "traceID": "00000000000000ab"}]


async def test_no_trace_found_by_ids_is_still_a_success(door: Door) -> None:
    answer = await door.json(f"/api/traces?traceID={ONE}")

    assert answer["data"] == []
    assert answer["errors"] == [{"msg": "trace not found", "traceID": ONE}]


async def test_a_search_finds_whole_traces_newest_first(door: Door) -> None:
    door.write(*a_zipkin_trace(1, start_ns=TODAY_NS), *a_zipkin_trace(2, start_ns=TODAY_NS + MS))

    answer = await door.json("/api/traces", service=BACKEND)

    assert ids(answer["data"]) == [TWO, ONE]
    assert [len(trace["spans"]) for trace in answer["data"]] == [4, 4]
    assert (answer["total"], answer["errors"]) == (0, None)


async def test_a_search_that_finds_nothing_is_an_empty_list(door: Door) -> None:
    assert (await door.json("/api/traces", service="nobody"))["data"] == []


async def test_a_search_needs_a_service(door: Door) -> None:
    assert await door.refusal("/api/traces") == "parameter 'service' is required"


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, True),
        ({"operation": "get"}, True),
        ({"operation": "GET"}, False),
        ({"operation": ""}, True),
        ({"start": TODAY_NS // US, "end": TODAY_NS // US}, True),
        ({"start": TODAY_NS // US + 1}, False),
        ({"end": TODAY_NS // US - 1}, False),
        ({"minDuration": "5ms"}, True),
        ({"minDuration": "5001us"}, False),
        ({"maxDuration": "5ms"}, True),
        ({"maxDuration": "4.999ms"}, False),
        ({"tags": '{"http.status_code":"200"}'}, True),
        ({"tags": '{"http.status_code":"404"}'}, False),
        ({"tag": "ok:true"}, True),
        ({"tag": ["ok:true", "host.name:h"]}, True),
        ({"tag": ["ok:true", "host.name:other"]}, False),
        ({"tags": '{"error":"true"}'}, True),
        ({"tag": "event:exception"}, True),
        ({"tag": "span.kind:server"}, True),
    ],
)
async def test_a_search_keeps_traces_with_a_span_that_meets_every_condition(
    door: Door, parameters: dict[str, Any], found: bool
) -> None:
    door.write(
        a_span(
            start_ns=TODAY_NS + 999,
            duration_ns=5 * MS,
            kind=SpanKind.SERVER,
            status_code=StatusCode.ERROR,
            attributes={"http.status_code": 200, "ok": True},
            resource=Resource({"host.name": "h"}),
            events=(Event(TODAY_NS, "exception"),),
        )
    )

    assert ids(await door.data("/api/traces", service=FRONTEND, **parameters)) == ([ONE] if found else [])


async def test_a_search_without_times_covers_48_hours(door: Door) -> None:
    door.write(
        a_span(1, start_ns=NOW_NS - 2 * DAY), a_span(2, start_ns=NOW_NS - 2 * DAY - 1), a_span(3, start_ns=NOW_NS)
    )

    assert ids(await door.data("/api/traces", service=FRONTEND)) == [a_trace_id(3).hex(), ONE]


async def test_the_limit_counts_traces(door: Door) -> None:
    for number in range(1, 4):
        door.write(*a_zipkin_trace(number, start_ns=TODAY_NS + number * MS))

    assert len(await door.data("/api/traces", service=FRONTEND, limit=2)) == 2


@pytest.mark.parametrize("limit", ["0", "-1"])
async def test_a_limit_that_asks_for_everything_is_no_error(door: Door, limit: str) -> None:
    door.write(*(a_span(number) for number in range(1, 120)))

    assert len(await door.data("/api/traces", service=FRONTEND, limit=limit)) == 119


async def test_an_error_status_can_be_searched_and_is_shown_as_kiali_asks_for_it(door: Door) -> None:
    """Kiali counts errors by the tag error=true; an OTLP error is a status."""
    door.write(a_span(1, status_code=StatusCode.ERROR), a_zipkin_span(2, tags={"error": "500"}), a_span(3))

    found = await door.data("/api/traces", service=FRONTEND, tags='{"error":"true"}')

    assert sorted(ids(found)) == [ONE, TWO]
    for trace in found:
        assert {"key": "error", "type": "bool", "value": True} in trace["spans"][0]["tags"]


async def test_both_forms_of_a_trace_id_are_one_trace_when_ids_are_not_strict(open_door: OpenDoor) -> None:
    door = open_door(strict_trace_id=False)
    door.write(a_span(a_trace_id(7), 1), a_span(a_short_trace_id(7), 2, parent=1))

    (found,) = await door.data("/api/traces", service=FRONTEND)
    answer = await door.json("/api/traces?traceID=7")

    assert found["traceID"] == a_trace_id(7).hex()
    assert [span["traceID"] for span in found["spans"]] == [a_trace_id(7).hex()] * 2
    assert ids(answer["data"]) == [a_trace_id(7).hex()]
    assert answer["errors"] is None


async def test_a_clock_is_corrected_when_the_setting_allows_it(open_door: OpenDoor) -> None:
    door = open_door(max_clock_skew_ns=HOUR)
    door.write(
        a_span(span=1, start_ns=TODAY_NS), a_span(span=2, parent=1, start_ns=TODAY_NS - MS, duration_ns=200 * MS)
    )

    (trace,) = await door.data(f"/api/traces/{ONE}")

    assert [span["startTime"] for span in trace["spans"]] == [TODAY_NS // US] * 2
    assert trace["spans"][1]["warnings"] == ["This span's timestamps were adjusted by 1ms"]


async def test_a_trace_of_more_spans_than_a_call_stack_is_deep_is_answered(door: Door) -> None:
    door.write(*(a_span(span=number, parent=number - 1 or None) for number in range(1, 3000)))

    (trace,) = await door.data(f"/api/traces/{ONE}")

    assert len(trace["spans"]) == 2999


async def test_a_tag_value_may_hold_anything_that_a_url_can_carry(door: Door) -> None:
    value = 'a&b=c;"d" ü +%'
    door.write(a_span(attributes={"odd": value}))

    found = await door.data(f"/api/traces?service={FRONTEND}&tags={quote(json.dumps({'odd': value}))}")

    assert ids(found) == [ONE]
