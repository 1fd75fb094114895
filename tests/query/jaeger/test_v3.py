"""/api/v3 on 16686: reference section 2.2."""

from typing import Any
from urllib.parse import quote

import pytest

from storage.span import Event, Resource, SpanKind, StatusCode
from tests.builders import HOUR, MS, TODAY_NS, a_short_trace_id, a_span, a_zipkin_trace
from tests.query.jaeger.conftest import Door, OpenDoor

WINDOW = {"query.startTimeMin": "2024-05-05T00:00:00Z", "query.startTimeMax": "2024-05-05T01:00:00Z"}
TRACE_HEX = "000000000000c1e30000000000000001"


async def found(door: Door, **parameters: Any) -> list[str]:
    """The trace ids, shortened, that a search finds."""
    answer = await door.get(
        "/api/v3/traces", **(WINDOW | {f"query.{name}": value for name, value in parameters.items()})
    )
    if answer.status_code == 404:
        return []
    assert answer.status_code == 200, answer.text
    return sorted({span["traceId"][-1] for span in spans_of(answer.json())})


def spans_of(answer: Any) -> list[Any]:
    return [
        span
        for resource in answer["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


async def refusal(door: Door, path: str, status: int = 400) -> str:
    """The message of an error, whose every other part is as Jaeger has it."""
    answer = await door.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.endswith("}\n")
    body = answer.json()
    assert body == {"error": {"httpCode": status, "message": body["error"]["message"]}}
    return str(body["error"]["message"])


def searched(**parameters: str) -> str:
    """The path of a search with these parameters, `__` for a dot."""
    given = WINDOW | {name.replace("__", "."): value for name, value in parameters.items()}
    return "/api/v3/traces?" + "&".join(f"{name}={quote(value)}" for name, value in given.items() if value)


async def test_services_are_a_list_even_when_there_is_none(door: Door) -> None:
    assert await door.json("/api/v3/services") == {"services": []}
    door.write(a_span(1, service="b"), a_span(2, service="a"))
    assert await door.json("/api/v3/services") == {"services": ["a", "b"]}


async def test_operations_have_a_name_and_a_kind_and_an_unspecified_one_is_internal(door: Door) -> None:
    door.write(a_span(1, 1, name="plain"), a_span(1, 2, name="served", kind=SpanKind.SERVER))

    assert await door.json("/api/v3/operations?service=frontend") == {
        "operations": [{"name": "plain", "spanKind": "internal"}, {"name": "served", "spanKind": "server"}]
    }


@pytest.mark.parametrize("name", ["spanKind", "span_kind"])
async def test_operations_of_one_kind_under_both_spellings(door: Door, name: str) -> None:
    door.write(a_span(1, 1, name="plain"), a_span(1, 2, name="served", kind=SpanKind.SERVER))

    answer = await door.json(f"/api/v3/operations?service=frontend&{name}=server")

    assert [one["name"] for one in answer["operations"]] == ["served"]


@pytest.mark.parametrize("query", ["?service=unknown", ""])
async def test_operations_of_no_known_service_are_an_empty_list(door: Door, query: str) -> None:
    door.write(a_span(1))

    assert await door.json(f"/api/v3/operations{query}") == {"operations": []}


@pytest.mark.parametrize("spelling", [TRACE_HEX, "c1e30000000000000001", "AAAAAAAAweMAAAAAAAAAAQ=="])
async def test_a_trace_is_found_by_every_spelling_of_its_id(door: Door, spelling: str) -> None:
    door.write(a_span(1, attributes={"n": 1}))

    (span,) = spans_of(await door.json(f"/api/v3/traces/{spelling}"))

    assert (span["traceId"], span["spanId"]) == (TRACE_HEX, "0000000000000001")
    assert span["attributes"] == [{"key": "n", "value": {"intValue": "1"}}]


async def test_a_64_bit_trace_id_is_written_with_32_digits(door: Door) -> None:
    door.write(a_span(a_short_trace_id(0xABC)))

    (span,) = spans_of(await door.json("/api/v3/traces/abc"))

    assert span["traceId"] == "00000000000000000000000000000abc"


async def test_a_trace_that_is_not_there_is_404(door: Door) -> None:
    assert await refusal(door, "/api/v3/traces/abc", status=404) == "No traces found"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("xyz", 'malformed parameter trace_id: strconv.ParseUint: parsing "xyz": invalid syntax'),
        ("1?startTime=yesterday", 'malformed parameter startTime: parsing time "yesterday" as'),
        ("1?end_time=1", 'malformed parameter end_time: parsing time "1" as'),
        ("1?rawTraces=maybe", 'malformed parameter rawTraces: strconv.ParseBool: parsing "maybe": invalid syntax'),
        ("1?raw_traces=2", 'malformed parameter raw_traces: strconv.ParseBool: parsing "2": invalid syntax'),
    ],
)
async def test_a_wrong_parameter_of_a_trace_is_refused_by_the_name_it_came_under(
    door: Door, path: str, message: str
) -> None:
    assert (await refusal(door, f"/api/v3/traces/{path}")).startswith(message)


async def test_the_times_of_a_trace_by_id_are_hints_only(door: Door) -> None:
    door.write(a_span(1))

    assert await door.json(f"/api/v3/traces/{TRACE_HEX}?startTime=2001-01-01T00:00:00Z&endTime=2001-01-02T00:00:00Z")


@pytest.mark.parametrize("parameter", ["rawTraces=true", "raw_traces=1"])
async def test_a_raw_trace_keeps_repeated_spans_and_the_order_of_attributes(door: Door, parameter: str) -> None:
    span = a_span(1, attributes={"b": "1", "a": "2"})
    door.write(span, span)

    raw = spans_of(await door.json(f"/api/v3/traces/{TRACE_HEX}?{parameter}"))
    adjusted = spans_of(await door.json(f"/api/v3/traces/{TRACE_HEX}"))

    assert [[pair["key"] for pair in one["attributes"]] for one in raw] == [["b", "a"], ["b", "a"]]
    assert [[pair["key"] for pair in one["attributes"]] for one in adjusted] == [["a", "b"]]


async def test_a_search_merges_all_traces_into_one_object(door: Door) -> None:
    door.write(a_span(1), a_span(2), a_span(3, service="other", resource=Resource({"service.name": "other"})))

    answer = await door.json("/api/v3/traces", **WINDOW)

    assert set(answer) == {"result"}
    assert set(answer["result"]) == {"resourceSpans"}
    assert {span["traceId"][-1] for span in spans_of(answer)} == {"1", "2", "3"}


async def test_a_search_that_finds_nothing_is_404(door: Door) -> None:
    assert await refusal(door, searched(), status=404) == "No traces found"


async def test_every_condition_of_a_search_under_every_spelling(door: Door) -> None:
    door.write(
        a_span(1, name="get", attributes={"http.status_code": 500}, duration_ns=5 * MS),
        a_span(2, name="put", attributes={"http.status_code": 200}, duration_ns=50 * MS),
        a_span(3, name="put", service="other"),
    )

    assert await found(door, serviceName="frontend") == ["1", "2"]
    assert await found(door, service_name="other") == ["3"]
    assert await found(door, operationName="get") == await found(door, operation_name="get") == ["1"]
    assert await found(door, durationMin="40ms", durationMax="60ms") == ["2"]
    assert await found(door, duration_min="1ms", duration_max="5ms") == ["1"]
    assert await found(door, attributes='{"http.status_code":"500"}') == ["1"]
    assert await found(door, attributes="null") == ["1", "2", "3"]


@pytest.mark.parametrize("name", ["searchDepth", "search_depth", "num_traces"])
async def test_the_number_of_traces_is_bounded_under_every_spelling(door: Door, name: str) -> None:
    door.write(*(a_span(number, start_ns=TODAY_NS + number) for number in range(1, 6)))

    assert await found(door, **{name: 2}) == ["4", "5"]


async def test_a_search_finds_100_traces_unless_it_says_how_many(door: Door) -> None:
    door.write(*(a_span(number) for number in range(1, 121)))

    for depth in ("", "&query.searchDepth=0", "&query.searchDepth=-1"):
        assert len(spans_of(await door.json(searched() + depth))) == 100
    assert len(spans_of(await door.json(searched() + "&query.searchDepth=110"))) == 110


async def test_camel_case_goes_before_snake_case(door: Door) -> None:
    door.write(a_span(1), a_span(2, service="other"))

    assert await found(door, service_name="other", serviceName="frontend") == ["1"]


@pytest.mark.parametrize(
    "window", ["startTimeMin={}&query.startTimeMax={}", "start_time_min={}&query.start_time_max={}"]
)
async def test_both_ends_of_the_window_are_inclusive_to_the_nanosecond(door: Door, window: str) -> None:
    door.write(a_span(1, start_ns=TODAY_NS + 1), a_span(2, start_ns=TODAY_NS + HOUR))

    async def asked(first: str, last: str) -> int:
        return (await door.get(f"/api/v3/traces?query.{window.format(quote(first), quote(last))}")).status_code

    assert await asked("2024-05-05T00:00:00.000000001Z", "2024-05-05T00:00:01Z") == 200
    assert await asked("2024-05-05T00:00:00.000000002Z", "2024-05-05T00:00:01Z") == 404
    assert await asked("2024-05-05T02:59:59+02:00", "2024-05-05T03:00:00+02:00") == 200
    assert await asked("2024-05-05T00:59:59Z", "2024-05-05T00:59:59.999999999Z") == 404


REQUIRED = "query.startTimeMin and query.startTimeMax are required"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v3/traces", REQUIRED),
        ("/api/v3/traces?query.startTimeMin=2024-05-05T00:00:00Z", REQUIRED),
        ("/api/v3/trace-summaries?query.start_time_max=2024-05-05T00:00:00Z", REQUIRED),
        (searched(query__startTimeMax="2024-05-05T00:00:00Z"), "query.startTimeMin must be before query.startTimeMax"),
        (searched(query__startTimeMin="now"), 'malformed parameter query.startTimeMin: parsing time "now" as'),
        (
            searched(query__startTimeMin="2024-02-30T00:00:00Z"),
            'malformed parameter query.startTimeMin: parsing time "2024-02-30T00:00:00Z" as',
        ),
        (
            searched(query__searchDepth="many"),
            'malformed parameter query.searchDepth: strconv.Atoi: parsing "many": invalid syntax',
        ),
        (searched(query__num_traces="1.5"), "malformed parameter query.num_traces: strconv.Atoi"),
        (searched(query__duration_min="5"), "malformed parameter query.duration_min: time: missing unit in duration"),
        (searched(query__durationMax="x"), "malformed parameter query.durationMax: time: invalid duration"),
        (searched(query__rawTraces="x"), "malformed parameter query.rawTraces: strconv.ParseBool"),
        (searched(query__attributes="{"), "malformed parameter query.attributes: "),
        (
            searched(query__attributes='{"a":1}'),
            "malformed parameter query.attributes: json: cannot unmarshal number into Go value of type string",
        ),
        (searched(query__filter="{}"), "malformed parameter query.filter: structured filters are not supported"),
    ],
)
async def test_a_wrong_search_is_refused_with_what_is_wrong(door: Door, path: str, message: str) -> None:
    assert (await refusal(door, path)).startswith(message)


async def test_summaries_leave_out_what_is_zero(door: Door) -> None:
    door.write(a_span(1, name="GET /", start_ns=TODAY_NS + 1, duration_ns=MS))

    assert await door.json("/api/v3/trace-summaries", **WINDOW) == {
        "summaries": [
            {
                "traceId": TRACE_HEX,
                "rootServiceName": "frontend",
                "rootOperationName": "GET /",
                "minStartTimeUnixNano": str(TODAY_NS + 1),
                "maxEndTimeUnixNano": str(TODAY_NS + 1 + MS),
                "spanCount": 1,
                "services": [{"name": "frontend", "spanCount": 1}],
            }
        ]
    }


async def test_summaries_count_errors_and_orphans_after_the_adjusters(door: Door) -> None:
    door.write(
        *a_zipkin_trace(1),
        a_span(1, 9, parent=77, service="lost", status_code=StatusCode.ERROR, start_ns=TODAY_NS + 5),
    )

    (summary,) = (await door.json("/api/v3/trace-summaries", **WINDOW))["summaries"]

    assert (summary["spanCount"], summary["errorSpanCount"], summary["orphanSpanCount"]) == (5, 2, 1)
    assert summary["services"] == [
        {"name": "backend", "spanCount": 2, "errorSpanCount": 1},
        {"name": "frontend", "spanCount": 2},
        {"name": "lost", "spanCount": 1, "errorSpanCount": 1},
    ]


async def test_summaries_of_nothing_are_an_empty_list_and_no_error(door: Door) -> None:
    assert await door.json("/api/v3/trace-summaries", **WINDOW) == {"summaries": []}


@pytest.mark.parametrize("names", [("startTime", "endTime"), ("start_time", "end_time")])
async def test_dependencies_of_a_window(door: Door, names: tuple[str, str]) -> None:
    door.write(*a_zipkin_trace(1))
    given = dict(zip(names, ("2024-05-05T00:00:00Z", "2024-05-05T01:00:00Z"), strict=True))

    assert await door.json("/api/v3/dependencies", **given) == {
        "dependencies": [
            {"parent": "backend", "child": "db", "callCount": "1"},
            {"parent": "frontend", "child": "backend", "callCount": "1"},
        ]
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "startTime and endTime are required"),
        ("?startTime=2024-05-05T00:00:00Z&endTime=2024-05-05T00:00:00Z", "startTime must be before endTime"),
    ],
)
async def test_dependencies_without_a_window_are_refused(door: Door, query: str, message: str) -> None:
    assert await refusal(door, f"/api/v3/dependencies{query}") == message


async def test_the_api_answers_below_the_base_path_and_without_it(open_door: OpenDoor) -> None:
    door = open_door(base_path="/jaeger")
    door.write(a_span(1, events=(Event(TODAY_NS, "e"),)))

    for prefix in ("", "/jaeger"):
        assert await door.json(f"{prefix}/api/v3/services") == {"services": ["frontend"]}
        assert spans_of(await door.json(f"{prefix}/api/v3/traces/{TRACE_HEX}"))


async def test_a_post_is_not_answered_here_for_bodies_are_grpcs(door: Door) -> None:
    assert (await door.client.post("/api/v3/traces", json={})).status_code == 404
