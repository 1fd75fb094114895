"""Jaeger's JSON of a trace. Source: Jaeger's UI model and OpenTelemetry collector's translator to Jaeger."""

from query.reconstruct.trace import Trace, TraceSpan
from query.render.jaeger_values import JsonObject, key_value, key_values, string_values
from storage.attributes import Attributes, encode
from storage.ids import TraceId, short_hex
from storage.span import Event, Link, Span, SpanKind, StatusCode

_SERVICE_NAME_KEY = "service.name"
_REF_TYPE_KEY = "opentracing.ref_type"
_KIND_TEXTS = {
    SpanKind.UNSPECIFIED: "",
    SpanKind.INTERNAL: "internal",
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
    SpanKind.PRODUCER: "producer",
    SpanKind.CONSUMER: "consumer",
}


class _Processes:
    """The processes of one trace, numbered p1, p2, ... in order of first use; equal ones are one."""

    def __init__(self) -> None:
        self.rendered: dict[str, JsonObject] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def id_of(self, span: Span) -> str:
        service = span.service or ""
        content = service, encode(span.resource.attributes)
        known = self._ids.get(content)
        if known is None:
            known = self._ids[content] = f"p{len(self._ids) + 1}"
            self.rendered[known] = {"serviceName": service, "tags": _process_tags(span.resource.attributes)}
        return known


def trace_json(trace: Trace) -> JsonObject:
    """{traceID, spans, processes, warnings}: spans in the order of the trace, times in whole microseconds.

    startTime and duration are never negative: clients decode them as unsigned. Every list is there, if empty, except
    `warnings`, which is null then.
    """
    processes = _Processes()
    spans = [_span_json(shown, processes.id_of(shown.span)) for shown in trace.spans]
    return {
        "traceID": short_hex(trace.trace_id),
        "spans": spans,
        "processes": processes.rendered,
        "warnings": None,
    }


def span_kind_text(kind: SpanKind) -> str:
    """The lower-case name of the kind; "" when it is unspecified."""
    return _KIND_TEXTS[kind]


def _span_json(shown: TraceSpan, process_id: str) -> JsonObject:
    span = shown.span
    return {
        "traceID": short_hex(span.trace_id),
        "spanID": span.span_id.hex(),
        "operationName": span.name or "",
        "references": _references(span),
        "startTime": _microseconds(span.start_ns),
        "duration": _microseconds(span.duration_ns),
        "tags": _tags(span),
        "logs": [_log(event) for event in span.events],
        "processID": process_id,
        "warnings": list(shown.warnings) or None,
    }


def _tags(span: Span) -> list[JsonObject]:
    tags = string_values({"otel.scope.name": span.scope.name, "otel.scope.version": span.scope.version})
    tags += key_values(span.attributes)
    tags += string_values({"span.kind": span_kind_text(span.kind)})
    if span.status_code is not StatusCode.UNSET:
        tags.append(key_value("otel.status_code", span.status_code.name))
    if span.status_code is StatusCode.ERROR:
        tags.append(key_value("error", True))
    return tags + string_values({"otel.status_description": span.status_message, "w3c.tracestate": span.trace_state})


def _process_tags(resource: Attributes) -> list[JsonObject]:
    return [key_value(key, value) for key, value in resource.items() if key != _SERVICE_NAME_KEY]


def _log(event: Event) -> JsonObject:
    named = event.name and "event" not in event.attributes
    fields = [key_value("event", event.name)] if named else []
    return {"timestamp": _microseconds(event.time_ns), "fields": fields + key_values(event.attributes)}


def _references(span: Span) -> list[JsonObject]:
    """The parent first, as clients take the first reference for it. A link to the parent only gives its type."""
    parent = span.parent_span_id
    parent_type = "CHILD_OF"
    references: list[JsonObject] = []
    for link in span.links:
        if parent is not None and link.span_id == parent and link.trace_id == span.trace_id:
            parent_type = _reference_type(link)
        else:
            references.append(_reference(_reference_type(link), link.trace_id, link.span_id))
    if parent is None:
        return references
    return [_reference(parent_type, span.trace_id, parent), *references]


def _reference_type(link: Link) -> str:
    return "CHILD_OF" if link.attributes.get(_REF_TYPE_KEY) == "child_of" else "FOLLOWS_FROM"


def _reference(reference_type: str, trace_id: TraceId, span_id: bytes) -> JsonObject:
    return {"refType": reference_type, "traceID": short_hex(trace_id), "spanID": span_id.hex()}


def _microseconds(time_ns: int | None) -> int:
    return max(0, time_ns or 0) // 1_000
