"""Jaeger's protobuf: jaeger.api_v2.PostSpansRequest, as agents and SDKs send it to 14250.

The batch is cut by hand and each span parsed by itself, so that what a payload takes stays in proportion to its size.
"""

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError

from collector.decode.decoded import DecodedColumns
from collector.decode.jaeger_spans import (
    NO_PROCESS,
    JaegerLog,
    JaegerProcess,
    JaegerReference,
    JaegerSpan,
    append_jaeger_span,
    clamped_ns,
    process_of,
)
from collector.decode.otlp_attributes import INVALID_SPAN_NAME, SanitizedPairs, text_or_bytes
from collector.decode.otlp_fields import Rejections, SpanRefused
from collector.decode.protobuf_fields import MessageCount, fields, require_modest
from collector.errors import MalformedPayload
from storage.attributes import AttributeValue
from storage.batch import SpanColumns
from storage.times import GO_ZERO_TIME_S
from wire import jaeger_batch_lean_pb2 as lean

_BATCH = 1
_SPANS, _PROCESS = 1, 2
_LOGS = (9,)
_BOOL, _INT64, _FLOAT64, _BINARY = 1, 2, 3, 4
_FOLLOWS_FROM = 1


def decode(body: bytes) -> DecodedColumns:
    """MalformedPayload when it is no such message; a span with bad ids is rejected alone.

    A span without a process has the batch's.
    """
    try:
        processes = _Processes(_process_of_batch(body))
        columns, rejections = SpanColumns(), Rejections()
        for index, raw in enumerate(_spans(body)):
            span = lean.Span.FromString(raw)
            process = processes.of(span)
            try:
                append_jaeger_span(columns, _span(span), process)
            except SpanRefused as refusal:
                rejections.add(f"batch.spans[{index}]", refusal)
    except DecodeError as error:
        raise MalformedPayload(
            f"expected jaeger.api_v2.PostSpansRequest in protobuf, got {len(body)} other bytes"
        ) from error
    return DecodedColumns(columns, rejections.by_reason, rejections.message)


def _process_of_batch(body: bytes) -> bytes | None:
    """The last one counts. It comes behind the spans."""
    found: bytes | None = None
    for number, start, end in _fields_of_batch(body):
        if number == _PROCESS:
            found = body[start:end]
    return found


def _spans(body: bytes) -> Iterator[bytes]:
    """Each span as it came; none that would outgrow its bytes."""
    index = 0
    for number, start, end in _fields_of_batch(body):
        if number == _SPANS:
            require_modest(body, start, end, f"batch.spans[{index}]", _LOGS)
            yield body[start:end]
            index += 1


def _fields_of_batch(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each field. A batch may come in several parts, as protobuf allows."""
    count = MessageCount()
    for batch, _, start, end in fields(body, 0, len(body)):
        if batch == _BATCH:
            for number, _, at, to in fields(body, start, end):
                count.add(at)
                yield number, at, to


class _Processes:
    """The processes of one batch, each read once."""

    def __init__(self, of_batch: bytes | None) -> None:
        self._of_batch = of_batch
        self._read: dict[bytes, JaegerProcess] = {}

    def of(self, span: lean.Span) -> JaegerProcess:
        """The process of this span. DecodeError when it is none."""
        raw = span.process if span.HasField("process") else self._of_batch
        if raw is None:
            return NO_PROCESS
        found = self._read.get(raw)
        if found is None:
            require_modest(raw, 0, len(raw), "process")
            process = lean.Process.FromString(raw)
            service = process.service_name.decode("utf-8", "replace")
            found = self._read[raw] = process_of(service, _tags(process.tags).finish())
        return found


def _span(span: lean.Span) -> JaegerSpan:
    tags = _tags(span.tags)
    name = tags.text(span.operation_name, INVALID_SPAN_NAME, INVALID_SPAN_NAME)
    return JaegerSpan(
        trace_id=_trace_id(span.trace_id),
        span_id=span.span_id,
        name=name,
        start_ns=_nanoseconds(span.start_time) or None,
        duration_ns=_nanoseconds(span.duration),
        flags=span.flags,
        tags=tags.finish(),
        references=[
            JaegerReference(*_checked_reference(reference), follows=reference.ref_type == _FOLLOWS_FROM)
            for reference in span.references
        ],
        logs=[_log(raw) for raw in span.logs],
        warnings=[text_or_bytes(warning) for warning in span.warnings],
    )


def _log(raw: bytes) -> JaegerLog:
    log = lean.Log.FromString(raw)
    return JaegerLog(_nanoseconds(log.timestamp), _tags(log.fields).finish())


def _checked_reference(reference: lean.SpanRef) -> tuple[bytes, bytes]:
    trace_id, span_id = _trace_id(reference.trace_id), reference.span_id
    if len(trace_id) != 16 or len(span_id) != 8:
        raise SpanRefused(
            "malformed_link",
            f".references: expected a trace id of 16 and a span id of 8 bytes, got {len(trace_id)} and {len(span_id)}",
        )
    return trace_id, span_id


def _trace_id(raw: bytes) -> bytes:
    """64-bit ids get their high half."""
    return raw.rjust(16, b"\0") if len(raw) == 8 else raw


def _tags(tags: Iterable[lean.KeyValue]) -> SanitizedPairs:
    sanitized = SanitizedPairs()
    for tag in tags:
        sanitized.add(tag.key, _value(tag))
    return sanitized


def _value(tag: lean.KeyValue) -> AttributeValue:
    kind = tag.v_type
    if kind == _BOOL:
        return tag.v_bool
    if kind == _INT64:
        return tag.v_int64
    if kind == _FLOAT64:
        return tag.v_float64
    if kind == _BINARY:
        return tag.v_binary
    return text_or_bytes(tag.v_str)


def _nanoseconds(time: lean.Time) -> int:
    """0 when not set, as Python and as Go leave it."""
    return 0 if time.seconds == GO_ZERO_TIME_S else clamped_ns(time.seconds * 10**9 + time.nanos)
