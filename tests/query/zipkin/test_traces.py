"""/traces: which traces a search finds, in which order (reference 1.4, 3.1-3.5)."""

from typing import Any

import pytest

from storage.span import Endpoint, Span, SpanKind, StatusCode
from tests.builders import (
    DAY,
    HOUR,
    MS,
    SECOND,
    TODAY_NS,
    US,
    a_half_truncated_trace,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
)
from tests.query.zipkin.conftest import NOW_NS, Door, OpenDoor

TODAY_MS = TODAY_NS // MS


async def found(door: Door, path: str = "/api/v2/traces", **parameters: Any) -> list[int]:
    """The numbers (a_trace_id's low halves) of the traces found, in their order."""
    traces = await door.json(path, **parameters)
    return [int(trace[0]["traceId"][-16:], 16) for trace in traces]


async def test_traces_is_an_empty_array_when_nothing_is_stored(door: Door) -> None:
    response = await door.get("/api/v2/traces")

    assert (response.status_code, response.content) == (200, b"[]")
    assert response.headers["content-type"] == "application/json"


async def test_traces_gives_whole_traces_with_spans_in_the_order_written_when_asked_without_parameters(
    door: Door,
) -> None:
    door.write(*a_zipkin_trace(1))

    (trace,) = await door.json("/api/v2/traces")

    assert [(span["id"][-1], span.get("shared", False)) for span in trace] == [
        ("1", False),
        ("2", False),
        ("2", True),
        ("3", False),
    ]


async def test_traces_gives_the_same_bytes_under_both_mounts(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    assert (await door.get("/zipkin/api/v2/traces")).content == (await door.get("/api/v2/traces")).content


async def test_traces_gives_the_newest_first_and_ten_by_default(door: Door) -> None:
    door.write(*(a_zipkin_span(number, start_ns=TODAY_NS + number * SECOND) for number in range(1, 13)))

    assert await found(door) == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


async def test_limit_counts_traces_not_spans_and_keeps_those_nearest_to_the_end(door: Door) -> None:
    door.write(*(a_zipkin_span(1, number, start_ns=TODAY_NS + number * MS) for number in range(1, 102)))
    door.write(a_zipkin_span(2, start_ns=TODAY_NS + SECOND), a_zipkin_span(3, start_ns=TODAY_NS))

    traces = await door.json("/api/v2/traces", limit=2)

    assert [len(trace) for trace in traces] == [1, 101]


@pytest.mark.parametrize(
    "parameters",
    [
        "serviceName=&remoteServiceName=&spanName=&annotationQuery=&minDuration=&maxDuration=&endTs=&lookback=",
        "spanName=all",
        "spanName=ALL",
        "annotationQuery=%20%20",
        "unknown=1",
    ],
)
async def test_parameter_is_absent_when_empty_or_all(door: Door, parameters: str) -> None:
    """Istio's own tests send empty parameters (clients reference, 5)."""
    door.write(a_zipkin_span(1))

    assert await found(door, f"/api/v2/traces?{parameters}") == [1]


async def test_service_named_all_is_a_condition(door: Door) -> None:
    """Reference 1.4: only the span name has the word `all`."""
    door.write(a_zipkin_span(1), a_zipkin_span(2, service="all"))

    assert await found(door, serviceName="all") == [2]


async def test_search_of_istios_tests_finds_the_span_by_its_name_alone(door: Door) -> None:
    door.write(a_zipkin_span(1, name="server.echo-1.svc.cluster.local:80/*"), a_zipkin_span(2))

    path = "/api/v2/traces?limit=100&spanName=server.echo-1.svc.cluster.local:80/*&annotationQuery="

    assert await found(door, path) == [1]


async def test_search_of_istios_tests_finds_the_span_by_a_tag_alone(door: Door) -> None:
    door.write(a_span(1, attributes={"provider": "otel-ingress"}), a_span(2))

    assert await found(door, "/api/v2/traces?limit=300&spanName=&annotationQuery=provider=otel-ingress") == [1]


@pytest.mark.parametrize(
    ("parameters", "numbers"),
    [
        ({"serviceName": "frontend"}, [1]),
        ({"serviceName": "FRONTEND"}, [1]),
        ({"serviceName": "frontend1"}, []),
        ({"serviceName": "backend"}, [2]),
        ({"remoteServiceName": "backend"}, [1]),
        ({"remoteServiceName": "BackEnd"}, [1]),
        ({"serviceName": "frontend", "remoteServiceName": "db"}, []),
        ({"spanName": "GET"}, [1]),
        ({"spanName": "get /cart"}, [2]),
        ({"spanName": "get1"}, []),
        ({"serviceName": "backend", "spanName": "get"}, []),
    ],
)
async def test_names_are_matched_in_any_case_and_on_one_span(
    door: Door, parameters: dict[str, str], numbers: list[int]
) -> None:
    door.write(
        a_zipkin_span(1, remote="backend"), a_span(2, service="Backend", name="GET /Cart", remote=Endpoint("DB"))
    )

    assert await found(door, **parameters) == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("foo", [1, 2, 3, 4]),
        ("foo and bar", [2, 4]),
        ("foo and bar and baz=qux", [4]),
        ("baz", [3, 4]),
        ("baz=", [3, 4]),
        ("baz=qu", []),
        ("baz=QUX", []),
        (" foo  and  baz = qux ", [3, 4]),
        ("baz and baz=qux", [3, 4]),
        ("baz=qux and baz", [3, 4]),
        ("baz=other and baz=qux", [3, 4]),
        ("baz=qux and baz=other", []),
        ("foo AND bar", []),
        ("L O L", [4]),
        ("equation=a=b", [4]),
    ],
)
async def test_annotation_query_finds_spans_that_meet_every_part(door: Door, query: str, numbers: list[int]) -> None:
    door.write(
        a_zipkin_span(1, annotations={"foo": TODAY_NS}),
        a_zipkin_span(2, annotations={"bar": TODAY_NS, "foo": TODAY_NS}),
        a_zipkin_span(3, annotations={"foo": TODAY_NS}, tags={"baz": "qux"}),
        a_zipkin_span(
            4,
            annotations={"bar": TODAY_NS, "foo": TODAY_NS},
            tags={"baz": "qux", "L O L": "1", "equation": "a=b"},
        ),
    )

    assert sorted(await found(door, annotationQuery=query)) == numbers


async def test_annotation_query_finds_an_otlp_number_and_resource_attribute_by_their_text(door: Door) -> None:
    door.write(a_span(1, attributes={"http.status_code": 500, "ok": True}), a_span(2))

    assert await found(door, annotationQuery="http.status_code=500 and ok=true") == [1]


@pytest.mark.parametrize(
    "span",
    [
        pytest.param(a_zipkin_span(1, tags={"error": ""}), id="zipkin_tag"),
        pytest.param(a_span(1, status_code=StatusCode.ERROR), id="otlp_status"),
    ],
)
async def test_annotation_query_error_finds_spans_in_error(door: Door, span: Span) -> None:
    door.write(span, a_zipkin_span(2))

    assert await found(door, annotationQuery="error") == [1]


async def test_conditions_must_be_met_by_one_span_not_by_the_trace(door: Door) -> None:
    """Decided as Zipkin's API text, Elasticsearch and MySQL have it (reference 3.3)."""
    door.write(a_zipkin_span(1, 1, tags={"a": "1"}), a_zipkin_span(1, 2, tags={"b": "2"}))

    assert await found(door, annotationQuery="a=1 and b=2") == []


@pytest.mark.parametrize(
    ("min_us", "max_us", "numbers"),
    [
        (100, None, [1, 2]),
        (101, None, [2]),
        (201, None, []),
        (100, 100, [1]),
        (99, 199, [1]),
        (1, 99, []),
        (2**63 - 1, 2**63 - 1, []),
    ],
)
async def test_duration_bounds_are_inclusive_microseconds(
    door: Door, min_us: int, max_us: int | None, numbers: list[int]
) -> None:
    door.write(
        a_zipkin_span(1, duration_ns=100 * US),
        a_zipkin_span(2, duration_ns=200 * US),
        a_zipkin_span(3, duration_ns=None),
    )
    bounds: dict[str, Any] = {"minDuration": min_us} | ({} if max_us is None else {"maxDuration": max_us})

    assert sorted(await found(door, **bounds)) == numbers


async def test_largest_duration_holds_the_fraction_that_is_not_shown(door: Door) -> None:
    door.write(a_span(1, duration_ns=100 * US + 999), a_span(2, duration_ns=101 * US))

    assert await found(door, minDuration=100, maxDuration=100) == [1]


async def test_least_duration_of_one_microsecond_finds_what_is_shown_as_one(door: Door) -> None:
    """Reference 8: an OTLP span below a microsecond is shown with duration 1."""
    door.write(a_span(1, duration_ns=400))

    assert await found(door, minDuration=1, maxDuration=1) == [1]


@pytest.mark.parametrize(
    ("end_ts", "lookback", "numbers"),
    [
        (0, 2 * 86_400_000, []),
        (1, 2 * 86_400_000, [1]),
        (2, 2 * 86_400_000, [1, 2]),
        (3, 2 * 86_400_000, [1, 2]),
        (1, 1, [1]),
        (2, 1, [1, 2]),
        (3, 1, [2]),
        (4, 1, []),
    ],
)
async def test_window_is_inclusive_at_both_ends(door: Door, end_ts: int, lookback: int, numbers: list[int]) -> None:
    """Reference 3.8, endTs/lookback; both times are after midnight in milliseconds."""
    door.write(a_zipkin_span(1, start_ns=TODAY_NS + 1 * MS), a_zipkin_span(2, start_ns=TODAY_NS + 2 * MS))

    assert sorted(await found(door, endTs=TODAY_MS + end_ts, lookback=lookback)) == numbers


@pytest.mark.parametrize(("beyond_ns", "numbers"), [(999, [1]), (1000, [])])
async def test_window_ends_with_the_whole_last_microsecond(door: Door, beyond_ns: int, numbers: list[int]) -> None:
    door.write(a_span(1, start_ns=TODAY_NS + beyond_ns))

    assert await found(door, endTs=TODAY_MS) == numbers


async def test_window_ends_now_and_looks_back_one_day_by_default(door: Door) -> None:
    door.write(
        a_zipkin_span(1, start_ns=NOW_NS),
        a_zipkin_span(2, start_ns=NOW_NS - DAY),
        a_zipkin_span(3, start_ns=NOW_NS + MS),
        a_zipkin_span(4, start_ns=NOW_NS - DAY - US),
    )

    assert await found(door) == [1, 2]


async def test_default_lookback_is_the_setting(open_door: OpenDoor) -> None:
    door = open_door(lookback_ms=1000)
    door.write(a_zipkin_span(1, start_ns=NOW_NS - SECOND), a_zipkin_span(2, start_ns=NOW_NS - SECOND - US))

    assert await found(door) == [1]


@pytest.mark.parametrize(("end_ts", "lookback"), [(2**63 - 1, 2**63 - 1), (1, 2**63 - 1), (TODAY_MS + 1, 2**63 - 1)])
async def test_window_may_be_absurdly_wide(door: Door, end_ts: int, lookback: int) -> None:
    door.write(a_zipkin_span(1))

    assert await found(door, endTs=end_ts, lookback=lookback) == ([1] if end_ts > 1 else [])


async def test_span_without_timestamp_is_not_found_but_comes_with_its_trace(door: Door) -> None:
    door.write(a_zipkin_span(1, start_ns=None, duration_ns=None), a_zipkin_span(2, start_ns=None))
    door.write(a_zipkin_span(1))

    traces = await door.json("/api/v2/traces", serviceName="frontend")

    assert [len(trace) for trace in traces] == [2]


async def test_whole_trace_is_given_when_the_window_ends_inside_it(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    (trace,) = await door.json("/api/v2/traces", endTs=TODAY_MS + 10, lookback=10)

    assert len(trace) == 4


async def test_short_and_long_ids_are_different_traces_when_strict(door: Door) -> None:
    door.write(a_zipkin_span(a_trace_id(7), start_ns=TODAY_NS + MS), a_zipkin_span(a_short_trace_id(7)))

    traces = await door.json("/api/v2/traces")

    assert [trace[0]["traceId"] for trace in traces] == [a_trace_id(7).hex(), "0000000000000007"]


async def test_short_and_long_ids_are_one_trace_and_keep_their_form_when_not_strict(open_door: OpenDoor) -> None:
    door = open_door(strict_trace_id=False)
    door.write(*a_half_truncated_trace(7))

    (trace,) = await door.json("/api/v2/traces", serviceName="backend", annotationQuery="error")

    assert [len(span["traceId"]) for span in trace] == [32, 32, 16, 16]


async def test_sidecar_and_application_spans_of_one_id_come_as_one_trace(door: Door) -> None:
    door.write(a_zipkin_span(1, 1, kind=SpanKind.CLIENT), a_span(1, 2, parent=1, kind=SpanKind.SERVER, service="App"))

    (trace,) = await door.json("/api/v2/traces", serviceName="app")

    assert [(span["id"][-1], span.get("parentId", "-")[-1]) for span in trace] == [("1", "-"), ("2", "1")]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ("minDuration=0", "minDuration <= 0"),
        ("minDuration=-1", "minDuration <= 0"),
        ("maxDuration=1", "maxDuration is only valid with minDuration"),
        ("minDuration=2&maxDuration=1", "maxDuration < minDuration"),
        ("endTs=0", "endTs <= 0"),
        ("endTs=-1", "endTs <= 0"),
        ("lookback=0", "lookback <= 0"),
        ("limit=0", "limit <= 0"),
        ("limit=-5", "limit <= 0"),
        ("limit=", "Cannot set null to primitive type parameter: limit"),
        ("limit=x", 'For input string: "x"'),
        ("limit=2147483648", 'For input string: "2147483648"'),
        ("limit=1_0", 'For input string: "1_0"'),
        ("limit=1.5", 'For input string: "1.5"'),
        ("limit=%2010", 'For input string: " 10"'),
        ("endTs=9223372036854775808", 'For input string: "9223372036854775808"'),
        ("lookback=1d", 'For input string: "1d"'),
        ("minDuration=10ms", 'For input string: "10ms"'),
        ("maxDuration=%D9%A3", 'For input string: "٣"'),
        ("minDuration=0&serviceName=frontend", "minDuration <= 0"),
    ],
)
async def test_traces_is_refused_with_zipkins_text_when_a_number_is_wrong(
    door: Door, parameters: str, text: str
) -> None:
    assert await door.refusal(f"/api/v2/traces?{parameters}") == text


@pytest.mark.parametrize("limit", ["1", "+1", "0001", "2147483647"])
async def test_limit_is_read_as_java_reads_it(door: Door, limit: str) -> None:
    door.write(a_zipkin_span(1))

    assert await found(door, limit=limit) == [1]


async def test_a_search_an_hour_back_does_not_find_what_is_newer(door: Door) -> None:
    door.write(a_zipkin_span(1, start_ns=NOW_NS - 2 * HOUR), a_zipkin_span(2, start_ns=NOW_NS))

    assert await found(door, endTs=(NOW_NS - HOUR) // MS) == [1]
