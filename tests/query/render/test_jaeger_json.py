"""Jaeger's JSON of a trace: reference sections 2 (Trace JSON), 3.1 and 3.2."""

from typing import Any

import pytest

from query.reconstruct.assembly import assemble
from query.reconstruct.trace import Trace, TraceSpan
from query.render.jaeger_json import trace_json
from storage.span import Endpoint, Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, US, a_short_trace_id, a_span, a_span_id, a_trace_id, a_zipkin_span

TRACE_HEX = "000000000000c1e30000000000000001"


def one_span(span: Span, *warnings: str) -> Any:
    """The JSON of a span that was not adjusted."""
    return _trace(span, warnings=warnings)["spans"][0]


def tags_of(span: Span) -> list[tuple[str, Any]]:
    return [(tag["key"], tag["value"]) for tag in one_span(span)["tags"]]


def test_a_bare_span_has_every_field_that_jaeger_writes_and_no_other() -> None:
    assert _trace(a_span(start_ns=TODAY_NS + 1_999, duration_ns=2_999, service="s", name="n")) == {
        "traceID": TRACE_HEX,
        "spans": [
            {
                "traceID": TRACE_HEX,
                "spanID": "0000000000000001",
                "operationName": "n",
                "references": [],
                "startTime": TODAY_NS // 1_000 + 1,
                "duration": 2,
                "tags": [],
                "logs": [],
                "processID": "p1",
                "warnings": None,
            }
        ],
        "processes": {"p1": {"serviceName": "s", "tags": []}},
        "warnings": None,
    }


def test_a_trace_id_whose_high_half_is_zero_has_16_digits_everywhere() -> None:
    trace_id = a_short_trace_id(0xABC)
    trace = _trace(a_span(trace_id, 2, parent=1, links=(Link(trace_id, a_span_id(9)),)))

    assert trace["traceID"] == trace["spans"][0]["traceID"] == "0000000000000abc"
    assert {reference["traceID"] for reference in trace["spans"][0]["references"]} == {"0000000000000abc"}


@pytest.mark.parametrize(
    ("start_ns", "duration_ns", "start_us", "duration_us"),
    [(None, None, 0, 0), (-5 * MS, 10, 0, 0), (TODAY_NS, 1, TODAY_NS // US, 0), (0, -MS, 0, 0), (0, MS, 0, 1000)],
)
def test_times_are_never_negative_for_kiali_decodes_them_unsigned(
    start_ns: int | None, duration_ns: int | None, start_us: int, duration_us: int
) -> None:
    shown = one_span(a_span(start_ns=start_ns, duration_ns=duration_ns))

    assert (shown["startTime"], shown["duration"]) == (start_us, duration_us)


def test_the_tags_stand_in_the_order_of_jaegers_translator() -> None:
    span = a_span(
        scope=Scope("shop.lib", "0.9"),
        attributes={"b": 1, "a": "x"},
        kind=SpanKind.SERVER,
        status_code=StatusCode.ERROR,
        status_message="it broke",
        trace_state="k=v",
    )

    assert tags_of(span) == [
        ("otel.scope.name", "shop.lib"),
        ("otel.scope.version", "0.9"),
        ("b", 1),
        ("a", "x"),
        ("span.kind", "server"),
        ("otel.status_code", "ERROR"),
        ("error", True),
        ("otel.status_description", "it broke"),
        ("w3c.tracestate", "k=v"),
    ]


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        (SpanKind.UNSPECIFIED, []),
        (SpanKind.INTERNAL, [("span.kind", "internal")]),
        (SpanKind.SERVER, [("span.kind", "server")]),
        (SpanKind.CLIENT, [("span.kind", "client")]),
        (SpanKind.PRODUCER, [("span.kind", "producer")]),
        (SpanKind.CONSUMER, [("span.kind", "consumer")]),
    ],
)
def test_the_kind_is_a_tag_in_lower_case(kind: SpanKind, tags: list[tuple[str, str]]) -> None:
    assert tags_of(a_span(kind=kind)) == tags


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        (StatusCode.UNSET, []),
        (StatusCode.OK, [("otel.status_code", "OK")]),
        (StatusCode.ERROR, [("otel.status_code", "ERROR"), ("error", True)]),
    ],
)
def test_the_status_is_a_tag_and_an_error_two(status: StatusCode, tags: list[tuple[str, Any]]) -> None:
    assert tags_of(a_span(status_code=status)) == tags


def test_an_event_is_a_log_with_its_name_first() -> None:
    event = Event(TODAY_NS + 7_999, "cache miss", {"key": "k", "n": 3})

    assert one_span(a_span(events=(event,)))["logs"] == [
        {
            "timestamp": TODAY_NS // 1_000 + 7,
            "fields": [
                {"key": "event", "type": "string", "value": "cache miss"},
                {"key": "key", "type": "string", "value": "k"},
                {"key": "n", "type": "int64", "value": 3},
            ],
        }
    ]


@pytest.mark.parametrize("event", [Event(0, "name", {"event": "own"}), Event(0, "", {"event": "own"})])
def test_an_events_own_event_attribute_stands_for_its_name(event: Event) -> None:
    assert one_span(a_span(events=(event,)))["logs"][0]["fields"] == [
        {"key": "event", "type": "string", "value": "own"}
    ]


def test_an_event_without_a_name_has_no_event_field() -> None:
    assert one_span(a_span(events=(Event(0, ""),)))["logs"] == [{"timestamp": 0, "fields": []}]


def test_the_parent_is_the_first_reference_and_links_follow() -> None:
    links = (
        Link(a_trace_id(2), a_span_id(5)),
        Link(a_trace_id(3), a_span_id(6), attributes={"opentracing.ref_type": "child_of"}),
        Link(a_trace_id(3), a_span_id(6), attributes={"opentracing.ref_type": "follows_from"}),
    )

    assert _references(a_span(span=2, parent=1, links=links)) == [
        ("CHILD_OF", TRACE_HEX, 1),
        ("FOLLOWS_FROM", a_trace_id(2).hex(), 5),
        ("CHILD_OF", a_trace_id(3).hex(), 6),
        ("FOLLOWS_FROM", a_trace_id(3).hex(), 6),
    ]


@pytest.mark.parametrize(
    ("attributes", "reference_type"),
    [
        ({}, "FOLLOWS_FROM"),
        ({"opentracing.ref_type": "follows_from"}, "FOLLOWS_FROM"),
        ({"opentracing.ref_type": "child_of"}, "CHILD_OF"),
    ],
)
def test_a_link_to_the_parent_only_gives_the_parent_reference_its_type(
    attributes: dict[str, str], reference_type: str
) -> None:
    """Reference section 3.1; the parent stays the first reference and is not listed twice."""
    links = (Link(a_trace_id(2), a_span_id(5)), Link(a_trace_id(1), a_span_id(1), attributes=attributes))

    assert _references(a_span(span=2, parent=1, links=links)) == [
        (reference_type, TRACE_HEX, 1),
        ("FOLLOWS_FROM", a_trace_id(2).hex(), 5),
    ]


def test_a_link_to_the_parents_id_in_another_trace_is_a_reference_of_its_own() -> None:
    span = a_span(span=2, parent=1, links=(Link(a_trace_id(2), a_span_id(1)),))

    assert _references(span) == [("CHILD_OF", TRACE_HEX, 1), ("FOLLOWS_FROM", a_trace_id(2).hex(), 1)]


def test_resource_attributes_are_process_tags_without_the_service_name() -> None:
    resource = Resource({"service.name": "s", "host.name": "h", "n": 1})

    assert _trace(a_span(service="s", resource=resource))["processes"]["p1"] == {
        "serviceName": "s",
        "tags": [{"key": "host.name", "type": "string", "value": "h"}, {"key": "n", "type": "int64", "value": 1}],
    }


def test_processes_are_numbered_by_first_use_and_equal_ones_are_one() -> None:
    trace = _trace(
        a_span(span=1, service="b"),
        a_span(span=2, service="a"),
        a_span(span=3, service="b"),
        a_span(span=4, service="b", resource=Resource({"n": 1})),
        a_span(span=5, service="b", resource=Resource({"n": "1"})),
    )

    assert [span["processID"] for span in trace["spans"]] == ["p1", "p2", "p1", "p3", "p4"]
    assert [process["serviceName"] for process in trace["processes"].values()] == ["b", "a", "b", "b"]


def test_warnings_are_a_list() -> None:
    assert one_span(a_span(), "one", "two")["warnings"] == ["one", "two"]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("true", [("otel.status_code", "ERROR"), ("error", True)]),
        ("500", [("error", "500"), ("otel.status_code", "ERROR"), ("error", True)]),
        ("", [("error", ""), ("otel.status_code", "ERROR"), ("error", True)]),
    ],
)
def test_a_zipkin_error_tag_is_kept_beside_the_flag_unless_it_says_just_that(
    error: str, shown: list[tuple[str, Any]]
) -> None:
    assert _adjusted_tags(a_zipkin_span(tags={"error": error})) == shown


def test_a_zipkin_span_is_written_in_jaegers_terms() -> None:
    span = a_zipkin_span(
        kind=SpanKind.CLIENT,
        service=None,
        name=None,
        start_ns=None,
        duration_ns=None,
        tags={"http.status_code": "200"},
        local=Endpoint(ipv4="10.0.0.1"),
        remote="backend",
        annotations={"cr": TODAY_NS},
    )

    trace = trace_json(assemble([span]))
    shown: Any = trace["spans"]

    assert trace["processes"] == {"p1": {"serviceName": "missing-service-name", "tags": []}}
    assert (shown[0]["operationName"], shown[0]["startTime"], shown[0]["duration"]) == ("empty-span-name", 0, 0)
    assert len(shown[0]["warnings"]) == 1
    assert [(tag["key"], tag["type"], tag["value"]) for tag in shown[0]["tags"]] == [
        ("http.status_code", "string", "200"),
        ("network.local.address", "string", "10.0.0.1"),
        ("otel.zipkin.absentField.startTime", "bool", True),
        ("peer.service", "string", "backend"),
        ("span.kind", "string", "client"),
    ]
    assert shown[0]["logs"] == [
        {"timestamp": TODAY_NS // 1_000, "fields": [{"key": "event", "type": "string", "value": "cr"}]}
    ]


def _adjusted_tags(span: Span) -> list[tuple[str, Any]]:
    shown: Any = trace_json(assemble([span]))["spans"]
    return [(tag["key"], tag["value"]) for tag in shown[0]["tags"]]


def _trace(*spans: Span, warnings: tuple[str, ...] = ()) -> Any:
    return trace_json(Trace(spans[0].trace_id, [TraceSpan(span, warnings) for span in spans]))


def _references(span: Span) -> list[tuple[str, str, int]]:
    return [
        (reference["refType"], reference["traceID"], int(reference["spanID"], 16))
        for reference in one_span(span)["references"]
    ]
