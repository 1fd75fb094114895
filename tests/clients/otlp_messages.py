"""OTLP traces, as messages and as JSON, in the forms of `tests.clients.seen`.

The JSON is read by hand, as its ids are hex where protobuf's own JSON has base64: hex ids, numbers for enums, int64 as
text, nothing but the fields of the specification.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from tests.clients.seen import SeenEvent, SeenLink, SeenSpan, Typed, Values

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")


def traces_spans(data: TracesData) -> Iterator[SeenSpan]:
    """Every span of the message, with its resource and scope."""
    for resource_spans in data.resource_spans:
        resource = _values(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name, scope_spans.scope.version
            for span in scope_spans.spans:
                yield _span(span, resource, scope)


def json_traces_spans(data: Mapping[str, Any]) -> Iterator[SeenSpan]:
    """The same of OTLP JSON."""
    assert set(data) <= {"resourceSpans"}
    for resource_spans in data["resourceSpans"]:
        resource = _json_values(resource_spans.get("resource", {}).get("attributes", []))
        for scope_spans in resource_spans["scopeSpans"]:
            scope = scope_spans.get("scope", {})
            for span in scope_spans["spans"]:
                yield _json_span(span, resource, (scope.get("name", ""), scope.get("version", "")))


def _span(span: Span, resource: Values, scope: tuple[str, str]) -> SeenSpan:
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    return SeenSpan(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        KINDS[span.kind],
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _values(span.attributes),
        tuple(SeenEvent(event.time_unix_nano, event.name, _values(event.attributes)) for event in span.events),
        tuple(SeenLink(link.trace_id.hex(), link.span_id.hex(), _values(link.attributes)) for link in span.links),
        STATUSES[span.status.code],
        span.status.message,
        resource,
        scope,
    )


def _values(pairs: Iterable[KeyValue]) -> Values:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Typed:
    match value.WhichOneof("value"):
        case "array_value":
            return "list", [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return "map", _values(value.kvlist_value.values)
        case None:
            return "NoneType", None
        case field:
            content = getattr(value, field)
            return type(content).__name__, content


def _json_span(span: Mapping[str, Any], resource: Values, scope: tuple[str, str]) -> SeenSpan:
    status = span.get("status", {})
    return SeenSpan(
        _hex(span["traceId"], 32),
        _hex(span["spanId"], 16),
        _hex(span["parentSpanId"], 16) if span.get("parentSpanId") else "",
        span["name"],
        KINDS[span.get("kind", 0)],
        _int64(span["startTimeUnixNano"]),
        _int64(span["endTimeUnixNano"]),
        _json_values(span.get("attributes", [])),
        tuple(
            SeenEvent(_int64(event["timeUnixNano"]), event.get("name", ""), _json_values(event.get("attributes", [])))
            for event in span.get("events", [])
        ),
        tuple(
            SeenLink(_hex(link["traceId"], 32), _hex(link["spanId"], 16), _json_values(link.get("attributes", [])))
            for link in span.get("links", [])
        ),
        STATUSES[status.get("code", 0)],
        status.get("message", ""),
        resource,
        scope,
    )


def _json_values(pairs: Iterable[Mapping[str, Any]]) -> Values:
    return {pair["key"]: _json_value(pair["value"]) for pair in pairs}


def _json_value(value: Mapping[str, Any]) -> Typed:
    if not value:
        return "NoneType", None
    ((kind, content),) = value.items()
    match kind:
        case "stringValue":
            assert isinstance(content, str)
            return "str", content
        case "intValue":
            return "int", _int64(content)
        case "doubleValue":
            return "float", float(content)
        case "boolValue":
            assert isinstance(content, bool)
            return "bool", content
        case "bytesValue":
            return "bytes", base64.b64decode(content, validate=True)
        case "arrayValue":
            return "list", [_json_value(item) for item in content.get("values", [])]
        case "kvlistValue":
            return "map", _json_values(content.get("values", []))
        case _:
            raise AssertionError(f"unknown kind of value {kind}")


def _int64(text: object) -> int:
    assert isinstance(text, str), f"int64 is text in protobuf's JSON, got {text!r}"
    return int(text)


def _hex(text: str, digits: int) -> str:
    assert re.fullmatch(f"[0-9a-f]{{{digits}}}", text), text
    return text
