"""What a Jaeger client reported, in every window: exact in Jaeger's own, translated in the others."""

from typing import Any

import pytest

from collector.decode import jaeger_thrift
from query.reconstruct.assembly import assemble
from query.render.jaeger_json import trace_json
from query.render.jaeger_proto import span_message
from query.render.otlp_groups import by_resource
from query.render.zipkin_translation import tags_of
from storage.span import Span, SpanKind, StatusCode
from tests.builders import a_span_id, a_trace_id
from tests.collector.decode.jaeger.messages import CHILD_OF, FOLLOWS_FROM, START_US, Sent, Tags, spans_of, thrift_body

TRACE_HEX = a_trace_id(1).hex()


def stored(sent: Sent, process: Tags = ()) -> Span:
    (span,) = spans_of(jaeger_thrift.decode(thrift_body(sent, process=process)))
    return span


def shown(sent: Sent, process: Tags = (), *, raw: bool = True) -> dict[str, Any]:
    trace: Any = trace_json(assemble([stored(sent, process)], raw=raw))
    (span,) = trace["spans"]
    return {**span, "process": trace["processes"][span["processID"]]}


def test_a_span_reads_back_exactly_as_it_was_reported() -> None:
    tags: Tags = [
        ("span.kind", "client"),
        ("error", True),
        ("http.status_code", 500),
        ("ratio", 0.5),
        ("raw", b"\x00\xff"),
        ("big", 2**60),
    ]
    sent = Sent(
        tags=tags,
        logs=[(START_US + 5, [("event", "retry"), ("attempt", 2)]), (START_US + 6, [("message", "hi")])],
        parent=a_span_id(9),
        references=[(CHILD_OF, a_trace_id(1), a_span_id(9)), (FOLLOWS_FROM, a_trace_id(2), a_span_id(3))],
        flags=3,
    )

    assert shown(sent, [("hostname", "pod-1"), ("ip", "10.0.0.7")]) == {
        "traceID": TRACE_HEX,
        "spanID": "0000000000000001",
        "flags": 3,
        "operationName": "get",
        "references": [
            {"refType": "CHILD_OF", "traceID": TRACE_HEX, "spanID": "0000000000000009"},
            {"refType": "FOLLOWS_FROM", "traceID": a_trace_id(2).hex(), "spanID": "0000000000000003"},
        ],
        "startTime": START_US,
        "duration": 200,
        "tags": [
            {"key": "span.kind", "type": "string", "value": "client"},
            {"key": "error", "type": "bool", "value": True},
            {"key": "http.status_code", "type": "int64", "value": 500},
            {"key": "ratio", "type": "float64", "value": 0.5},
            {"key": "raw", "type": "binary", "value": "AP8="},
            {"key": "big", "type": "int64", "value": str(2**60)},
        ],
        "logs": [
            {
                "timestamp": START_US + 5,
                "fields": [
                    {"key": "event", "type": "string", "value": "retry"},
                    {"key": "attempt", "type": "int64", "value": 2},
                ],
            },
            {"timestamp": START_US + 6, "fields": [{"key": "message", "type": "string", "value": "hi"}]},
        ],
        "processID": "p1",
        "warnings": None,
        "process": {
            "serviceName": "frontend",
            "tags": [
                {"key": "hostname", "type": "string", "value": "pod-1"},
                {"key": "ip", "type": "string", "value": "10.0.0.7"},
            ],
        },
    }


@pytest.mark.parametrize("tags", [[], [("http.status_code", 500)], [("otel.status_code", "OK")], [("error", False)]])
def test_no_tag_is_added_that_was_not_sent(tags: Tags) -> None:
    assert [tag["key"] for tag in shown(Sent(tags=tags), raw=False)["tags"]] == [key for key, _ in tags]


def test_flags_of_zero_are_left_out() -> None:
    assert "flags" not in shown(Sent(flags=0))


def test_a_parent_that_is_followed_is_shown_once() -> None:
    sent = Sent(parent=a_span_id(9), references=[(FOLLOWS_FROM, a_trace_id(1), a_span_id(9))])
    assert shown(sent)["references"] == [
        {"refType": "FOLLOWS_FROM", "traceID": TRACE_HEX, "spanID": "0000000000000009"}
    ]


def test_the_grpc_window_shows_the_same_tags_and_flags() -> None:
    span = stored(Sent(tags=[("span.kind", "client"), ("error", True)], flags=3))
    (one,) = assemble([span], raw=True).spans
    message = span_message(one)
    assert message.flags == 3
    assert [(tag.key, tag.v_str, tag.v_bool) for tag in message.tags] == [
        ("span.kind", "client", False),
        ("error", "", True),
    ]


def test_otlp_has_kind_status_scope_and_trace_state_as_its_fields_and_not_as_attributes() -> None:
    tags: Tags = [
        ("span.kind", "client"),
        ("error", True),
        ("otel.status_code", "ERROR"),
        ("otel.status_description", "boom"),
        ("w3c.tracestate", "a=b"),
        ("otel.library.name", "lib"),
        ("otel.library.version", "1"),
        ("http.status_code", 500),
    ]

    (resource,) = by_resource([assemble([stored(Sent(tags=tags, flags=3))], raw=True)])
    (scope,) = resource.scopes.values()
    (one,) = scope.spans

    assert one.span.attributes == {"http.status_code": 500}
    assert (one.span.kind, one.span.status_code, one.span.status_message) == (SpanKind.CLIENT, StatusCode.ERROR, "boom")
    assert (one.span.trace_state, one.span.flags) == ("a=b", 1)
    assert (scope.scope.name, scope.scope.version) == ("lib", "1")


def test_otlp_keeps_tags_that_its_fields_do_not_tell() -> None:
    tags: Tags = [("span.kind", "odd"), ("error", "yes"), ("otel.status_code", "BAD"), ("otel.scope.name", 3)]
    (resource,) = by_resource([assemble([stored(Sent(tags=tags))], raw=True)])
    (scope,) = resource.scopes.values()
    assert scope.spans[0].span.attributes == dict(tags)


def test_zipkin_has_the_kind_as_the_kind_and_the_other_tags_as_text() -> None:
    span = stored(Sent(tags=[("span.kind", "server"), ("error", True), ("http.status_code", 500)]), [("pid", 7)])
    assert tags_of(span) == {"error": "true", "http.status_code": "500", "pid": "7"}


def test_zipkin_keeps_a_kind_that_it_does_not_have() -> None:
    assert tags_of(stored(Sent(tags=[("span.kind", "internal")]))) == {"span.kind": "internal"}
