"""Jaeger's Thrift: a Batch as POSTed to 14268, and the messages that SDKs send by UDP to 6831 and 6832."""

from collections.abc import Callable, Iterable, Sequence

from thriftpy2.thrift import TType

from collector.decode.decoded import DecodedColumns
from collector.decode.jaeger_spans import (
    JaegerLog,
    JaegerProcess,
    JaegerReference,
    JaegerSpan,
    append_jaeger_span,
    clamped_ns,
    process_of,
)
from collector.decode.otlp_attributes import INVALID_SPAN_NAME, SanitizedPairs
from collector.decode.otlp_fields import Rejections, SpanRefused
from collector.decode.thrift_binary import ThriftReader
from collector.decode.thrift_bounds import ThriftDamaged
from collector.decode.thrift_compact import compact_struct
from collector.decode.thrift_messages import Message, binary_message, compact_message
from collector.errors import MalformedPayload
from storage.attributes import AttributeValue
from storage.batch import SpanColumns
from wire import jaeger_thrift as wire

_EMIT_BATCH = "emitBatch"

_BATCH = (TType.STRUCT, 1)
_PROCESS = (TType.STRUCT, 1)
_SPANS = (TType.LIST, 2)

Batch = tuple[wire.Process | None, Iterable[wire.Span] | None]
"""Its process and its spans, which may be read as they are asked for and then raise ThriftDamaged."""


def decode(body: bytes) -> DecodedColumns:
    """A Batch in TBinaryProtocol. MalformedPayload when it is none; a span with bad ids is rejected alone."""
    try:
        return _decoded(_binary_batch(ThriftReader(body)))
    except ThriftDamaged as error:
        raise MalformedPayload(f"Unable to process request body: {error}") from error


def decode_binary_message(packet: bytes) -> DecodedColumns:
    """Agent.emitBatch in TBinaryProtocol. MalformedPayload when it is none."""
    return _decoded_message(packet, binary_message, _binary_argument)


def decode_compact_message(packet: bytes) -> DecodedColumns:
    """Agent.emitBatch in TCompactProtocol. MalformedPayload when it is none."""
    return _decoded_message(packet, compact_message, _compact_argument)


def _decoded_message(
    packet: bytes, head: Callable[[bytes], Message], argument: Callable[[bytes, int], Batch | None]
) -> DecodedColumns:
    try:
        message = head(packet)
        if message.method != _EMIT_BATCH:
            raise MalformedPayload(f"expected a call of {_EMIT_BATCH}, got {message.method[:40]!r}")
        batch = argument(packet, message.arguments_at)
        if batch is None:
            raise MalformedPayload(f"expected a Batch as the argument of {_EMIT_BATCH}, got none")
        return _decoded(batch)
    except ThriftDamaged as error:
        raise MalformedPayload(str(error)) from error


def _binary_argument(packet: bytes, at: int) -> Batch | None:
    reader = ThriftReader(packet, at)
    batch: Batch | None = None
    for field in reader.fields():
        if field == _BATCH:
            batch = _binary_batch(reader)
        else:
            reader.skip(field[0])
    return batch


def _binary_batch(reader: ThriftReader) -> Batch:
    process: wire.Process | None = None
    spans: Iterable[wire.Span] | None = None
    for field in reader.fields():
        if field == _PROCESS:
            process = reader.struct(wire.PROCESS)
        elif field == _SPANS:
            spans = reader.structs(wire.SPAN)
        else:
            reader.skip(field[0])
    return process, spans


def _compact_argument(packet: bytes, at: int) -> Batch | None:
    batch = compact_struct(packet, wire.EMIT_BATCH, at).batch
    return None if batch is None else (batch.process, batch.spans)


def _decoded(batch: Batch) -> DecodedColumns:
    sent_process, spans = batch
    if sent_process is None or spans is None:
        missing = "process" if sent_process is None else "spans"
        raise MalformedPayload(f"Unable to process request body: expected a Batch, got one without {missing}")
    process = _process(sent_process)
    columns, rejections = SpanColumns(), Rejections()
    for index, span in enumerate(spans):
        try:
            append_jaeger_span(columns, _span(span), process)
        except SpanRefused as refusal:
            rejections.add(f"spans[{index}]", refusal)
    return DecodedColumns(columns, rejections.by_reason, rejections.message)


def _process(process: wire.Process) -> JaegerProcess:
    service = process.service_name or ""
    if isinstance(service, bytes):
        service = service.decode("utf-8", "replace")
    return process_of(service, _tags(process.tags or ()).finish())


def _span(span: wire.Span) -> JaegerSpan:
    tags = _tags(span.tags or ())
    name = span.operation_name or ""
    if isinstance(name, bytes):
        name = tags.text(name, INVALID_SPAN_NAME, INVALID_SPAN_NAME)
    return JaegerSpan(
        trace_id=_id(span.trace_id_high) + _id(span.trace_id_low),
        span_id=_id(span.span_id),
        name=name,
        start_ns=_nanoseconds(span.start_time) or None,
        duration_ns=_nanoseconds(span.duration),
        flags=(span.flags or 0) & 0xFFFF_FFFF,
        tags=tags.finish(),
        parent_span_id=_id(span.parent_span_id),
        references=[_reference(reference) for reference in span.references or ()],
        logs=[JaegerLog(_nanoseconds(log.timestamp), _tags(log.fields or ()).finish()) for log in span.logs or ()],
    )


def _reference(reference: wire.Reference) -> JaegerReference:
    return JaegerReference(
        _id(reference.trace_id_high) + _id(reference.trace_id_low),
        _id(reference.span_id),
        follows=reference.reference_type == wire.FOLLOWS_FROM,
    )


def _tags(tags: Sequence[wire.Tag]) -> SanitizedPairs:
    sanitized = SanitizedPairs()
    for tag in tags:
        key = tag.key or ""
        if isinstance(key, bytes):
            sanitized.add(key, _value(tag))
        else:
            sanitized.pairs.append((key, _value(tag)))
    return sanitized


def _value(tag: wire.Tag) -> AttributeValue:
    """What the tag's type names, or that type's zero when it was left out. Text that is not UTF-8 comes as bytes."""
    kind = tag.value_type
    if kind == wire.BOOL:
        return bool(tag.truth)
    if kind == wire.LONG:
        return tag.whole or 0
    if kind == wire.DOUBLE:
        return 0.0 if tag.number is None else tag.number
    if kind == wire.BINARY:
        return tag.raw or b""
    return tag.text or ""


def _id(number: int | None) -> bytes:
    return (number or 0).to_bytes(8, signed=True)


def _nanoseconds(micros: int | None) -> int:
    return clamped_ns((micros or 0) * 1_000)
