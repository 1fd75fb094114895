"""Jaeger's protobuf model of a trace: the chunks of spans in which api_v2 streams it.

Source: jaeger.api_v2; what it shows of a span is `jaeger_translation`'s to say. Every span carries its process, for
clients have nothing else to know it by. Times and durations are always there, if empty: to clients in Go an absent time
is the year 1.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from query.reconstruct.trace import Trace, TraceSpan
from query.render.jaeger_translation import (
    FOLLOWS_FROM,
    Tag,
    log_fields,
    process_tags,
    references,
    shown_ns,
    span_flags,
    span_kind_text,
    span_tags,
)
from storage.attributes import AttributeValue, text_of
from storage.requests import DependencyLink, Operation
from storage.span import SpanKind
from wire import jaeger_model_pb2 as model
from wire.jaeger_lean_pb2 import SpansResponseChunk
from wire.jaeger_query_v2_pb2 import GetDependenciesResponse, GetOperationsResponse

MOST_SPANS = 10
"""Spans a chunk, as Jaeger sends them."""
MOST_BYTES = 4 * 2**20
"""Bytes a chunk: gRPC clients refuse larger messages unless they are told otherwise."""
_FRAME_BYTES = 6
_LARGEST_INT64 = 2**63 - 1

_AddTag = Callable[[], model.KeyValue]


def trace_chunks(trace: Trace) -> Iterator[bytes]:
    """The trace as SpansResponseChunk messages, spans in its order: at most MOST_SPANS in each, and MOST_BYTES.

    A span that is larger than that goes alone.
    """
    chunk: list[bytes] = []
    size = 0
    for shown in trace.spans:
        span = span_message(shown).SerializeToString()
        size += len(span) + _FRAME_BYTES
        if chunk and (len(chunk) == MOST_SPANS or size > MOST_BYTES):
            yield SpansResponseChunk(spans=chunk).SerializeToString()
            chunk, size = [], len(span) + _FRAME_BYTES
        chunk.append(span)
    if chunk:
        yield SpansResponseChunk(spans=chunk).SerializeToString()


def span_message(shown: TraceSpan) -> model.Span:
    """One span with its process. Times keep their nanoseconds; neither they nor the duration are negative."""
    span = shown.span
    message = model.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        operation_name=span.name or "",
        flags=span_flags(span),
        warnings=shown.warnings,
    )
    message.start_time.seconds, message.start_time.nanos = divmod(shown_ns(span.start_ns), 10**9)
    message.duration.seconds, message.duration.nanos = divmod(shown_ns(span.duration_ns), 10**9)
    for one in references(span):
        kind = model.FOLLOWS_FROM if one.type == FOLLOWS_FROM else model.CHILD_OF
        message.references.add(trace_id=one.trace_id, span_id=one.span_id, ref_type=kind)
    _add_tags(message.tags.add, span_tags(span))
    for event in span.events:
        log = message.logs.add()
        log.timestamp.seconds, log.timestamp.nanos = divmod(shown_ns(event.time_ns), 10**9)
        _add_tags(log.fields.add, log_fields(event))
    message.process.service_name = span.service or ""
    _add_tags(message.process.tags.add, process_tags(span.resource.attributes))
    return message


def operations_message(operations: Iterable[Operation]) -> GetOperationsResponse:
    """The operations with their kinds, and the names once more, each once, for clients of old."""
    found = [(one.name, span_kind_text(SpanKind(one.kind))) for one in operations]
    answer = GetOperationsResponse(operationNames=dict.fromkeys(name for name, _ in found))
    for name, kind in found:
        answer.operations.add(name=name, span_kind=kind)
    return answer


def dependencies_message(links: Sequence[DependencyLink]) -> GetDependenciesResponse:
    """{parent, child, call_count}; which source counted the calls is not told."""
    answer = GetDependenciesResponse()
    for link in links:
        answer.dependencies.add(parent=link.parent, child=link.child, call_count=link.call_count)
    return answer


def _add_tags(add: _AddTag, tags: Iterable[Tag]) -> None:
    """By setting fields, which takes three quarters of the time that giving them to `add` takes."""
    for key, value in tags:
        tag = add()
        try:
            tag.key = key
            if isinstance(value, str):  # First: nearly every value is one.
                tag.v_str = value
            else:
                _set_value(tag, value)
        except UnicodeEncodeError:
            # A lone surrogate, which JSON in an annotation can escape and UTF-8 cannot hold.
            tag.key, tag.v_str = _mended(key), _mended(text_of(value))


def _set_value(tag: model.KeyValue, value: AttributeValue) -> None:
    """Lists, maps and null are strings (JSON text, ""), and so are integers beyond 64 bits."""
    match value:
        case bool():
            tag.v_type, tag.v_bool = model.BOOL, value
        case int() if -_LARGEST_INT64 - 1 <= value <= _LARGEST_INT64:
            tag.v_type, tag.v_int64 = model.INT64, value
        case float():
            tag.v_type, tag.v_float64 = model.FLOAT64, value
        case bytes():
            tag.v_type, tag.v_binary = model.BINARY, value
        case _:
            tag.v_str = text_of(value)


def _mended(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
