"""Spans for tests: small functions with defaults, so that a test shows only the values that matter to it.

The clock of these tests stands at TODAY_NS, a midnight in UTC. The defaults of `a_zipkin_span` and the standard trace
are those of Zipkin's own storage tests.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from storage.attributes import Attributes
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode

US = 1_000
MS = 1_000_000
SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TODAY_NS = 1_714_867_200 * SECOND
"""2024-05-05T00:00:00Z in epoch nanoseconds."""

FRONTEND = "frontend"
BACKEND = "backend"
DB = "db"
KAFKA = "kafka"


def a_trace_id(number: int) -> TraceId:
    """A 128-bit trace id whose low half is `number` and whose high half is not zero."""
    return TraceId((0xC1E3 << 64 | number).to_bytes(16, "big"))


def a_short_trace_id(number: int) -> TraceId:
    """The 64-bit sibling of `a_trace_id(number)`."""
    return TraceId(number.to_bytes(16, "big"))


def a_span_id(number: int) -> SpanId:
    return SpanId(number.to_bytes(8, "big"))


def a_span(trace: int | TraceId = 1, span: int = 1, *, parent: int | None = None, **changes: Any) -> Span:
    """An OTLP span `get` of the frontend, 200 ms from TODAY_NS, with the fields of storage.span.Span in `changes`."""
    values: dict[str, Any] = {
        "trace_id": a_trace_id(trace) if isinstance(trace, int) else trace,
        "span_id": a_span_id(span),
        "parent_span_id": None if parent is None else a_span_id(parent),
        "name": "get",
        "service": FRONTEND,
        "start_ns": TODAY_NS + 100 * US,
        "duration_ns": 200 * MS,
    }
    return Span(**(values | changes))


def a_zipkin_span(
    trace: int | TraceId = 1,
    span: int = 1,
    *,
    parent: int | None = None,
    tags: Mapping[str, str] | None = None,
    annotations: Mapping[str, int] | None = None,
    remote: str | None = None,
    **changes: Any,
) -> Span:
    """A span as Zipkin's JSON decoder makes it: text tags, annotations as events, ERROR when there is an `error` tag.

    annotations: value -> time_ns. Without `tags` it has environment=test.
    """
    attributes: Attributes = {"environment": "test"} if tags is None else tags
    return a_span(
        trace,
        span,
        parent=parent,
        **{
            "protocol": Protocol.ZIPKIN,
            "attributes": attributes,
            "status_code": StatusCode.ERROR if "error" in attributes else StatusCode.UNSET,
            "events": tuple(Event(time_ns, value) for value, time_ns in (annotations or {}).items()),
            "remote": Endpoint(service=remote),
        }
        | changes,
    )


def a_zipkin_trace(trace: int | TraceId = 1, *, start_ns: int = TODAY_NS) -> list[Span]:
    """Zipkin's standard test trace: the frontend calls the backend over a shared span, which calls the db, in error."""
    return [
        a_zipkin_span(trace, 1, kind=SpanKind.SERVER, start_ns=start_ns, duration_ns=350 * MS),
        a_zipkin_span(
            trace,
            2,
            parent=1,
            kind=SpanKind.CLIENT,
            start_ns=start_ns + 50 * MS,
            duration_ns=200 * MS,
            remote=BACKEND,
            tags={"http.path": "/api", "clnt/finagle.version": "6.45.0"},
            annotations={"foo": start_ns + 100 * MS},
        ),
        a_zipkin_span(
            trace,
            2,
            parent=1,
            kind=SpanKind.SERVER,
            shared=True,
            service=BACKEND,
            start_ns=start_ns + 100 * MS,
            duration_ns=150 * MS,
        ),
        a_zipkin_span(
            trace,
            3,
            parent=2,
            kind=SpanKind.CLIENT,
            service=BACKEND,
            start_ns=start_ns + 150 * MS,
            duration_ns=50 * MS,
            remote=DB,
            tags={"error": "", "sql.query": "select 1"},
            annotations={"query": start_ns + 170 * MS},
        ),
    ]


def a_half_truncated_trace(number: int = 1, *, start_ns: int = TODAY_NS) -> list[Span]:
    """The standard trace when the backend cut the trace id: 128 bits on the first two spans, 64 on the others."""
    long = a_zipkin_trace(a_trace_id(number), start_ns=start_ns)
    return [*long[:2], *a_zipkin_trace(a_short_trace_id(number), start_ns=start_ns)[2:]]


def exactly(value: object) -> object:
    """A form of a span (or of any part) that is equal only when every value AND its type is: 1, 1.0 and True differ,
    NaN equals NaN, -0.0 differs from 0.0. The order of attributes does not matter; the order of lists does."""
    if isinstance(value, Struct):
        return type(value).__name__, tuple(exactly(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return "map", sorted((key, exactly(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return "list", [exactly(item) for item in value]
    return type(value).__name__, repr(value)
