"""Jaeger's Thrift: a Batch as POSTed to 14268, and the messages that SDKs send by UDP to 6831 and 6832."""

from collections.abc import Callable, Sequence

from collector.decode.decoded import Decoded
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
from collector.decode.thrift_bounds import ThriftDamaged
from collector.decode.thrift_reader import (
    Message,
    binary_message,
    binary_struct,
    compact_message,
    compact_struct,
)
from collector.errors import MalformedPayload
from storage.attributes import AttributeValue
from storage.batch import SpanColumns
from wire import jaeger_thrift as wire

_EMIT_BATCH = "emitBatch"

ReadArguments = Callable[[bytes, type[wire.EmitBatch], int], wire.EmitBatch]


def decode(body: bytes) -> Decoded:
    """A Batch in TBinaryProtocol. MalformedPayload when it is none; a span with bad ids is rejected alone."""
    try:
        batch = binary_struct(body, wire.BATCH)
    except ThriftDamaged as error:
        raise MalformedPayload(f"Unable to process request body: {error}") from error
    return _decoded(batch)


def decode_binary_message(packet: bytes) -> Decoded:
    """Agent.emitBatch in TBinaryProtocol. MalformedPayload when it is none."""
    return _decoded_message(packet, binary_message, binary_struct)


def decode_compact_message(packet: bytes) -> Decoded:
    """Agent.emitBatch in TCompactProtocol. MalformedPayload when it is none."""
    return _decoded_message(packet, compact_message, compact_struct)


def _decoded_message(packet: bytes, head: Callable[[bytes], Message], read: ReadArguments) -> Decoded:
    try:
        message = head(packet)
        if message.method != _EMIT_BATCH:
            raise MalformedPayload(f"expected a call of {_EMIT_BATCH}, got {message.method[:40]!r}")
        batch = read(packet, wire.EMIT_BATCH, message.arguments_at).batch
    except ThriftDamaged as error:
        raise MalformedPayload(str(error)) from error
    if batch is None:
        raise MalformedPayload(f"expected a Batch as the argument of {_EMIT_BATCH}, got none")
    return _decoded(batch)


def _decoded(batch: wire.Batch) -> Decoded:
    if batch.process is None or batch.spans is None:
        missing = "process" if batch.process is None else "spans"
        raise MalformedPayload(f"Unable to process request body: expected a Batch, got one without {missing}")
    process = _process(batch.process)
    columns, rejections = SpanColumns(), Rejections()
    for index, span in enumerate(batch.spans):
        try:
            append_jaeger_span(columns, _span(span), process)
        except SpanRefused as refusal:
            rejections.add(f"spans[{index}]", refusal)
    return Decoded(columns, rejections.by_reason, rejections.message)


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
