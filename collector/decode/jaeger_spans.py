"""One Jaeger span in plain fields, and which column takes which: where Thrift and protobuf meet.

A Jaeger span is stored as it was sent: `span.kind`, `error` and `otel.status_code` stay among its attributes, so that
Jaeger's JSON gives back every tag and type. Kind and status are read from them besides, by the rules of OpenTelemetry
collector's translator from Jaeger, for searches, dependency links and the other renderings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.decode.jaeger_endpoints import set_local_address, set_peer_address
from collector.decode.jaeger_meaning import kind_of_tags, status_of_tags
from collector.decode.otlp_attributes import Pair, attributes_of, object_text
from collector.decode.otlp_fields import (
    MAX_TIME_NS,
    Attached,
    ResourceFields,
    ScopeFields,
    SpanFields,
    add_event,
    add_link,
    checked_ids,
)
from collector.decode.otlp_rows import append_span
from storage.attributes import AttributeValue
from storage.batch import SpanColumns
from storage.conventions import CHILD_OF, FOLLOWS_FROM, REF_TYPE_KEY, SERVICE_NAME_KEY, WARNINGS_KEY
from storage.ids import NO_SPAN
from storage.span import Protocol

EMPTY_SERVICE_NAME = "empty-service-name"
NO_PROCESS_NAME = "null-process-and-service-name"
_EVENT_KEY = "event"
_DEBUG_FLAG = 2
_NO_SCOPE = ScopeFields("", "", None, (), (), "", 0)
_REF_TYPES = {False: attributes_of([(REF_TYPE_KEY, CHILD_OF)]), True: attributes_of([(REF_TYPE_KEY, FOLLOWS_FROM)])}


@dataclass(slots=True)
class JaegerReference:
    """Ids: 16 and 8 raw bytes. follows: FOLLOWS_FROM, else CHILD_OF."""

    trace_id: bytes
    span_id: bytes
    follows: bool


@dataclass(slots=True)
class JaegerLog:
    """A moment and its fields, in their order."""

    time_ns: int
    fields: list[Pair]


@dataclass(slots=True)
class JaegerSpan:
    """One span. ids: raw bytes as they came; parent_span_id: NO_SPAN when only the references tell it."""

    trace_id: bytes
    span_id: bytes
    name: str
    start_ns: int | None
    duration_ns: int | None
    flags: int
    tags: list[Pair]
    parent_span_id: bytes = NO_SPAN
    references: list[JaegerReference] = field(default_factory=list)
    logs: list[JaegerLog] = field(default_factory=list)
    warnings: list[AttributeValue] = field(default_factory=list)


@dataclass(slots=True)
class JaegerProcess:
    """Who reports: the columns' form of a process, and its `ip` tag."""

    resource: ResourceFields
    ip: AttributeValue


def process_of(service: str, tags: Sequence[Pair]) -> JaegerProcess:
    """A process of this name and these tags. A nameless one is called as Jaeger calls it."""
    named = [(SERVICE_NAME_KEY, service), *(tag for tag in tags if tag[0] != SERVICE_NAME_KEY)] if service else tags
    told = dict(named).get(SERVICE_NAME_KEY)
    name = told if told and isinstance(told, str) else EMPTY_SERVICE_NAME
    return JaegerProcess(ResourceFields(name, object_text(attributes_of(named)), "", 0), dict(tags).get("ip"))


NO_PROCESS = JaegerProcess(ResourceFields(NO_PROCESS_NAME, "{}", "", 0), None)


def append_jaeger_span(columns: SpanColumns, span: JaegerSpan, process: JaegerProcess) -> None:
    """Append one row. SpanRefused when its ids are none."""
    trace_id, span_id, parent = checked_ids(span.trace_id, span.span_id, span.parent_span_id)
    if parent == NO_SPAN:
        parent = _parent_among(span.references, trace_id)
    tags = span.tags
    named = dict(tags)
    if span.warnings:
        tags = [*tags, (WARNINGS_KEY, span.warnings)]
    kind = kind_of_tags(named)
    status, message = status_of_tags(named, kind)
    fields = SpanFields(
        trace_id, span_id, parent, span.name, kind, 0, 0, attributes_of(tags), status, message, flags=span.flags
    )
    fields.attached = _attached(span, trace_id, parent)
    row = len(columns)
    append_span(columns, fields, process.resource, _NO_SCOPE, Protocol.JAEGER)
    columns.start_ns[row], columns.duration_ns[row] = span.start_ns, span.duration_ns
    if span.flags & _DEBUG_FLAG:
        columns.set_sparse("debug", row, True)
    set_local_address(columns, row, process.ip)
    set_peer_address(columns, row, named)


def clamped_ns(time_ns: int) -> int:
    """Within what a column holds: the years 1677 to 2262."""
    return max(-MAX_TIME_NS, min(time_ns, MAX_TIME_NS))


def _parent_among(references: Sequence[JaegerReference], trace_id: bytes) -> bytes:
    """The first CHILD_OF within the trace, else the first FOLLOWS_FROM, as Jaeger finds it."""
    within = [reference for reference in references if reference.trace_id == trace_id]
    return next((one.span_id for one in sorted(within, key=lambda one: one.follows)), NO_SPAN)


def _attached(span: JaegerSpan, trace_id: bytes, parent: bytes) -> Attached:
    attached = Attached()
    for log in span.logs:
        name, fields = _named(log.fields)
        add_event(attached, log.time_ns, name, attributes_of(fields), 0)
    for reference in span.references:
        if reference.follows or (reference.trace_id, reference.span_id) != (trace_id, parent):
            ids = reference.trace_id, reference.span_id
            add_link(attached, ids, "", 0, _REF_TYPES[reference.follows], 0)
    return attached


def _named(fields: list[Pair]) -> tuple[str, list[Pair]]:
    """The text of the field `event` and the other fields; without such a text "" and all of them."""
    for index, (key, value) in enumerate(fields):
        if key == _EVENT_KEY and value and isinstance(value, str):
            return value, [*fields[:index], *fields[index + 1 :]]
    return "", fields
