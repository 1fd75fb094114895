"""Jaeger's JSON of a trace. Source: Jaeger's UI model; what it shows of a span is `jaeger_translation`'s to say."""

from collections.abc import Iterator

from query.reconstruct.trace import Trace, TraceSpan
from query.render.jaeger_envelope import to_bytes
from query.render.jaeger_translation import log_fields, process_tags, references, shown_ns, span_flags, span_tags
from query.render.jaeger_values import JsonObject, key_values
from query.render.json_parts import joined
from storage.attributes import encode
from storage.ids import short_hex
from storage.span import Event, Span


class _Processes:
    """The processes of one trace, numbered p1, p2, ... in order of first use; equal ones are one."""

    def __init__(self) -> None:
        self.rendered: dict[str, JsonObject] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._ids_of_same: dict[tuple[str, int], str] = {}

    def id_of(self, span: Span) -> str:
        # Spans of a process share their resource, and writing it down for each would cost more than all the rest.
        same = span.service or "", id(span.resource)
        known = self._ids_of_same.get(same)
        if known is None:
            known = self._ids_of_same[same] = self._id_of_equal(span)
        return known

    def _id_of_equal(self, span: Span) -> str:
        service = span.service or ""
        content = service, encode(span.resource.attributes)
        known = self._ids.get(content)
        if known is None:
            known = self._ids[content] = f"p{len(self._ids) + 1}"
            self.rendered[known] = {"serviceName": service, "tags": key_values(process_tags(span.resource.attributes))}
        return known


def trace_json(trace: Trace) -> JsonObject:
    """{traceID, spans, processes, warnings}: spans in the order of the trace, times in whole microseconds.

    startTime and duration are never negative: clients decode them as unsigned. Every list is there, if empty, except
    `warnings`, which is null then.
    """
    processes = _Processes()
    return {
        "traceID": short_hex(trace.trace_id),
        "spans": list(_spans_json(trace, processes)),
        "processes": processes.rendered,
        "warnings": None,
    }


def trace_document(trace: Trace) -> Iterator[bytes]:
    """The text of `trace_json` in parts."""
    processes = _Processes()
    yield b'{"traceID":"' + short_hex(trace.trace_id).encode() + b'","spans":['
    yield from joined(_spans_json(trace, processes))
    yield b'],"processes":' + to_bytes(processes.rendered) + b',"warnings":null}'


def _spans_json(trace: Trace, processes: _Processes) -> Iterator[JsonObject]:
    return (_span_json(shown, processes.id_of(shown.span)) for shown in trace.spans)


def _span_json(shown: TraceSpan, process_id: str) -> JsonObject:
    span = shown.span
    flags = span_flags(span)
    return {
        "traceID": short_hex(span.trace_id),
        "spanID": span.span_id.hex(),
        **({"flags": flags} if flags else {}),
        "operationName": span.name or "",
        "references": _references(span),
        "startTime": _microseconds(span.start_ns),
        "duration": _microseconds(span.duration_ns),
        "tags": key_values(span_tags(span)),
        "logs": [_log(event) for event in span.events],
        "processID": process_id,
        "warnings": list(shown.warnings) or None,
    }


def _log(event: Event) -> JsonObject:
    return {"timestamp": _microseconds(event.time_ns), "fields": key_values(log_fields(event))}


def _references(span: Span) -> list[JsonObject]:
    return [
        {"refType": one.type, "traceID": short_hex(one.trace_id), "spanID": one.span_id.hex()}
        for one in references(span)
    ]


def _microseconds(time_ns: int | None) -> int:
    return shown_ns(time_ns) // 1_000
