"""Traces of many thousand spans, as an OpenTelemetry SDK would send them."""

import random
from collections import deque
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

_SERVICES = (
    "gateway",
    "checkout",
    "cart",
    "catalogue",
    "payment",
    "inventory",
    "shipping",
    "search",
    "email",
    "currency",
)
_NAMES = ("GET /items", "POST /orders", "select items", "cache.get", "publish order", "validate", "render", "reserve")
_SPANS_AT_ONCE = 2_000
_DURATION_NS = 8_000_000_000


def giant_trace(trace_id: bytes, spans: int, start_ns: int) -> Iterator[bytes]:
    """Bodies for POST /v1/traces. A span has two to six children, one after another; one in a hundred fails."""
    chance = random.Random(spans)
    by_service: dict[str, list[Span]] = {service: [] for service in _SERVICES}
    waiting = deque([(b"", start_ns, _DURATION_NS, _SERVICES[0])])
    for number in range(1, spans + 1):
        parent, begin_ns, duration_ns, service = waiting.popleft()
        span = Span(
            trace_id=trace_id,
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent,
            name=chance.choice(_NAMES),
            kind=chance.choice((Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)),
            start_time_unix_nano=begin_ns,
            end_time_unix_nano=begin_ns + duration_ns,
            attributes=[
                _text("http.request.method", "GET"),
                _text("url.path", f"/items/{number}"),
                _text("server.address", f"{service}.default.svc"),
                _text("user.id", f"user-{number % 1000}"),
                KeyValue(key="http.response.status_code", value=AnyValue(int_value=200)),
                KeyValue(key="cache.hit", value=AnyValue(bool_value=number % 2 == 0)),
            ],
        )
        if chance.random() < 0.01:
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="deadline exceeded"))
        by_service[service].append(span)
        children = chance.randint(2, 6)
        at_ns = begin_ns + duration_ns // 50
        for _ in range(children):
            child_ns = max(1000, int(duration_ns * 0.9 / children * chance.uniform(0.3, 0.98)))
            waiting.append((span.span_id, at_ns, child_ns, chance.choice(_SERVICES)))
            at_ns += child_ns
    for service, its in by_service.items():
        resource = Resource(attributes=[_text("service.name", service)])
        for start in range(0, len(its), _SPANS_AT_ONCE):
            scope = ScopeSpans(spans=its[start : start + _SPANS_AT_ONCE])
            yield ExportTraceServiceRequest(
                resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])]
            ).SerializeToString()


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))
