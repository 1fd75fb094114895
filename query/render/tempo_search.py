"""What Tempo's search answers. Source: Tempo's API, and what Kiali and Grafana decode of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from query.render.otlp_groups import unsigned
from query.render.otlp_json import JsonObject, any_value_json
from query.traceql.fields import TraceFacts, Value, values_of
from query.traceql.syntax import Attribute, Field, Intrinsic
from storage.ids import short_hex
from storage.span import Span, SpanKind, StatusCode

ROOT_NOT_RECEIVED = "<root span not yet received>"
_NOT_ATTRIBUTES = frozenset(
    {
        Intrinsic.NAME,
        Intrinsic.DURATION,
        Intrinsic.TRACE_DURATION,
        Intrinsic.ROOT_NAME,
        Intrinsic.ROOT_SERVICE,
        Intrinsic.TRACE_ID,
        Intrinsic.SPAN_ID,
    }
)
_LARGEST_UINT32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Hit:
    """A trace that a search found. spans: those that are shown, at least one; matched: how many were found."""

    facts: TraceFacts
    spans: Sequence[Span]
    matched: int


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value of a tag. type: string, int, float, bool or keyword."""

    type: str
    text: str


def search_json(hits: Iterable[Hit], fields: Sequence[Field], inspected_traces: int) -> JsonObject:
    """{traces, metrics}: traces by their start, latest first; each span with those of the fields that it has.

    64-bit integers are texts, ids hex, a 64-bit trace id with 16 digits. `spanSet` and the list `spanSets` are equal.
    """
    latest_first = sorted(hits, key=lambda hit: hit.facts.summary.start_ns or 0, reverse=True)
    return {
        "traces": [_trace(hit, fields) for hit in latest_first],
        "metrics": {"inspectedTraces": inspected_traces},
    }


def tag_names_json(names: Iterable[str]) -> JsonObject:
    """{tagNames, metrics}."""
    return {"tagNames": list(names), "metrics": {}}


def scopes_json(scopes: Mapping[str, Sequence[str]]) -> JsonObject:
    """{scopes: [{name, tags}], metrics}."""
    return {"scopes": [{"name": name, "tags": list(tags)} for name, tags in scopes.items()], "metrics": {}}


def tag_values_json(values: Iterable[TypedValue]) -> JsonObject:
    """{tagValues: [text], metrics}, each text once."""
    return {"tagValues": list(dict.fromkeys(value.text for value in values)), "metrics": {}}


def typed_tag_values_json(values: Iterable[TypedValue]) -> JsonObject:
    """{tagValues: [{type, value}], metrics}."""
    return {"tagValues": [{"type": value.type, "value": value.text} for value in values], "metrics": {}}


def _trace(hit: Hit, fields: Sequence[Field]) -> JsonObject:
    span_set = {"spans": [_span(span, fields, hit.facts) for span in hit.spans], "matched": hit.matched}
    summary = hit.facts.summary
    return {
        "traceID": short_hex(summary.trace_id),
        "rootServiceName": summary.root_service or ROOT_NOT_RECEIVED,
        "rootTraceName": summary.root_operation,
        "startTimeUnixNano": str(unsigned(summary.start_ns or 0)),
        "durationMs": min(unsigned(hit.facts.duration_ns) // 1_000_000, _LARGEST_UINT32),
        "spanSet": span_set,
        "spanSets": [span_set],
        "serviceStats": {
            service.name: {"spanCount": service.spans, "errorCount": service.errors} for service in summary.services
        },
    }


def _span(span: Span, fields: Sequence[Field], facts: TraceFacts) -> JsonObject:
    shown: JsonObject = {"spanID": span.span_id.hex()}
    if Intrinsic.NAME in fields:
        shown["name"] = span.name or ""
    shown["startTimeUnixNano"] = str(unsigned(span.start_ns or 0))
    shown["durationNanos"] = str(unsigned(span.duration_ns or 0))
    shown["attributes"] = [
        {"key": _key(field), "value": _value(value)}
        for field in fields
        if field not in _NOT_ATTRIBUTES
        for value in values_of(span, field, facts)[:1]
    ]
    return shown


def _key(field: Field) -> str:
    return field.key if isinstance(field, Attribute) else field.value


def _value(value: Value) -> JsonObject:
    if isinstance(value, StatusCode | SpanKind):
        return {"stringValue": value.name.lower()}
    return any_value_json(value)
