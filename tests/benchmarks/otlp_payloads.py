"""What OpenTelemetry SDKs export: one service, 512 spans of about 10 typed attributes, some 50 traces of 10 spans."""

import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from storage.attributes import Attributes, AttributeValue
from storage.span import SpanKind
from tests.benchmarks.stamping import Template
from tests.benchmarks.vocabulary import (
    ERROR_SHARE,
    KINDS,
    OPERATIONS_PER_KIND,
    SERVICES,
    attributes_of,
    operation,
    resource_of,
)

SPANS_PER_REQUEST = 512
_SPANS_PER_TRACE = 10
_NOW_NS = 1_800_000_000 * 10**9


def templates(count: int, seed: int) -> list[Template]:
    """`count` requests, each of a service instance; their attribute values all differ."""
    source = random.Random(seed)
    return [_template(SERVICES[number % len(SERVICES)], number // len(SERVICES), source) for number in range(count)]


def _template(service: str, instance: int, source: random.Random) -> Template:
    spans = [_span(number, source) for number in range(SPANS_PER_REQUEST)]
    traces = [source.randbytes(16) for _ in range(SPANS_PER_REQUEST // _SPANS_PER_TRACE + 1)]
    for number, span in enumerate(spans):
        span.trace_id = traces[number // _SPANS_PER_TRACE]
        if number % _SPANS_PER_TRACE:
            span.parent_span_id = spans[source.randrange(number - number % _SPANS_PER_TRACE, number)].span_id
    scope = ScopeSpans(scope=InstrumentationScope(name="shop.instrumentation", version="2.1"), spans=spans)
    resource = Resource(attributes=_key_values(resource_of(service, instance)))
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
    return _with_offsets(request.SerializeToString(), spans)


def _span(number: int, source: random.Random) -> Span:
    kind = source.choices((*KINDS, SpanKind.INTERNAL), (40, 35, 5, 5, 15))[0]
    start_ns = _NOW_NS - source.randrange(10**9, 2 * 10**9)
    failed = source.random() < ERROR_SHARE
    span = Span(
        span_id=source.randbytes(8),
        name=operation(kind, source.randrange(OPERATIONS_PER_KIND)),
        kind=int(kind),  # type: ignore[arg-type]  # the numbers are OTLP's
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + source.randrange(50_000, 500_000_000),
        attributes=_key_values(attributes_of(kind, source)),
        flags=0x101,
    )
    if failed:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="upstream failed"))
        exception: Attributes = {"exception.type": "TimeoutError", "exception.message": f"no answer to {number}"}
        span.events.add(name="exception", time_unix_nano=start_ns + 1000, attributes=_key_values(exception))
    return span


def _with_offsets(payload: bytes, spans: list[Span]) -> Template:
    """Where the ids and times stand in the payload: spans follow one another, and within one the order is fixed."""
    ids: dict[bytes, list[int]] = {}
    times: list[tuple[int, int]] = []
    at = 0
    for span in spans:
        for value in (span.trace_id[:8], span.trace_id[8:], span.span_id, span.parent_span_id):
            if value:
                at = payload.index(value, at)
                ids.setdefault(value, []).append(at)
        for moment in (span.start_time_unix_nano, span.end_time_unix_nano):
            at = payload.index(moment.to_bytes(8, "little"), at)
            times.append((at, _NOW_NS - moment))
    return Template(payload=payload, spans=len(spans), ids=list(ids.values()), times=times, form="raw")


def _key_values(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in attributes.items()]


def _any_value(value: AttributeValue) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_any_value(item) for item in value]))
        case _:
            return AnyValue(string_value=str(value))
