"""Jaeger batches for tests, written by the libraries that clients use, and what a decoder made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import thriftpy2
from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.thrift import TMessageType
from thriftpy2.transport import TMemoryBuffer

from collector.decode.decoded import Decoded
from storage.ids import NO_SPAN, SpanId, TraceId
from storage.rows import span_of
from storage.span import Span
from tests.builders import TODAY_NS, US, a_span_id, a_trace_id
from wire import jaeger_collector_pb2, jaeger_model_pb2, jaeger_thrift

idl: Any = thriftpy2.load(jaeger_thrift.IDL_PATH, module_name="jaeger_tests_thrift")

START_US = TODAY_NS // US
CHILD_OF, FOLLOWS_FROM = 0, 1
Value = str | bool | int | float | bytes
Tags = Sequence[tuple[str, Value]]


@dataclass
class Sent:
    """One span as a client has it; times in microseconds."""

    tags: Tags = ()
    logs: Sequence[tuple[int, Tags]] = ()
    references: Sequence[tuple[int, TraceId, SpanId]] = ()
    trace_id: bytes = a_trace_id(1)
    span_id: bytes = a_span_id(1)
    parent: bytes = NO_SPAN
    name: str = "get"
    flags: int = 1
    start_us: int = START_US
    duration_us: int = 200
    warnings: Sequence[str] = field(default_factory=list)


def thrift_body(*spans: Sent, service: str = "frontend", process: Tags = ()) -> bytes:
    """The body of a POST to 14268."""
    transport = TMemoryBuffer()
    TBinaryProtocol(transport).write_struct(_batch(spans, service, process))
    return bytes(transport.getvalue())


def binary_packet(*spans: Sent, service: str = "frontend", process: Tags = (), strict: bool = True) -> bytes:
    """A packet for 6832."""
    transport = TMemoryBuffer()
    return _message(TBinaryProtocol(transport, strict_write=strict), transport, _batch(spans, service, process))


def compact_packet(*spans: Sent, service: str = "frontend", process: Tags = (), method: str = "emitBatch") -> bytes:
    """A packet for 6831."""
    transport = TMemoryBuffer()
    return _message(TCompactProtocol(transport), transport, _batch(spans, service, process), method)


def proto_body(*spans: Sent, service: str = "frontend", process: Tags = ()) -> bytes:
    """A PostSpansRequest."""
    model = jaeger_model_pb2
    batch = model.Batch(process=model.Process(service_name=service, tags=[_key_value(*tag) for tag in process]))
    for sent in spans:
        span = batch.spans.add(
            trace_id=sent.trace_id,
            span_id=sent.span_id,
            operation_name=sent.name,
            flags=sent.flags,
            tags=[_key_value(*tag) for tag in sent.tags],
            warnings=sent.warnings,
        )
        span.start_time.FromMicroseconds(sent.start_us)
        span.duration.FromMicroseconds(sent.duration_us)
        for kind, trace_id, span_id in _with_parent(sent):
            span.references.add(ref_type=model.SpanRefType.Name(kind), trace_id=trace_id, span_id=span_id)
        for time_us, fields in sent.logs:
            log = span.logs.add(fields=[_key_value(*tag) for tag in fields])
            log.timestamp.FromMicroseconds(time_us)
    body: bytes = jaeger_collector_pb2.PostSpansRequest(batch=batch).SerializeToString()
    return body


def spans_of(decoded: Decoded) -> list[Span]:
    """The spans that these columns hold, as a reader sees them."""
    return [span_of(row) for row in decoded.columns.to_batch(0).rows()]


def _batch(spans: Sequence[Sent], service: str, process: Tags) -> Any:
    return idl.Batch(
        process=idl.Process(service_name=service, tags=[_tag(*tag) for tag in process]),
        spans=[_span(span) for span in spans],
    )


def _message(protocol: Any, transport: Any, batch: Any, method: str = "emitBatch") -> bytes:
    protocol.write_message_begin(method, TMessageType.ONEWAY, 7)
    protocol.write_struct(idl.EmitBatch(batch=batch))
    protocol.write_message_end()
    return bytes(transport.getvalue())


def _span(sent: Sent) -> Any:
    return idl.Span(
        trace_id_low=_number(sent.trace_id[8:]),
        trace_id_high=_number(sent.trace_id[:8]),
        span_id=_number(sent.span_id),
        parent_span_id=_number(sent.parent),
        operation_name=sent.name,
        references=[
            idl.Reference(
                reference_type=kind,
                trace_id_low=_number(trace_id[8:]),
                trace_id_high=_number(trace_id[:8]),
                span_id=_number(span_id),
            )
            for kind, trace_id, span_id in sent.references
        ],
        flags=sent.flags,
        start_time=sent.start_us,
        duration=sent.duration_us,
        tags=[_tag(*tag) for tag in sent.tags],
        logs=[idl.Log(timestamp=time_us, fields=[_tag(*tag) for tag in fields]) for time_us, fields in sent.logs],
    )


def _with_parent(sent: Sent) -> Sequence[tuple[int, bytes, bytes]]:
    """Protobuf has no parent: it is a reference."""
    if sent.parent == NO_SPAN or any(one[1:] == (sent.trace_id, sent.parent) for one in sent.references):
        return sent.references
    return [(CHILD_OF, sent.trace_id, sent.parent), *sent.references]


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, signed=True)


def _tag(key: str, value: Value) -> Any:
    match value:
        case bool():
            return idl.Tag(key=key, value_type=jaeger_thrift.BOOL, truth=value)
        case int():
            return idl.Tag(key=key, value_type=jaeger_thrift.LONG, whole=value)
        case float():
            return idl.Tag(key=key, value_type=jaeger_thrift.DOUBLE, number=value)
        case bytes():
            return idl.Tag(key=key, value_type=jaeger_thrift.BINARY, raw=value)
    return idl.Tag(key=key, value_type=jaeger_thrift.STRING, text=value)


def _key_value(key: str, value: Value) -> jaeger_model_pb2.KeyValue:
    model = jaeger_model_pb2
    match value:
        case bool():
            return model.KeyValue(key=key, v_type=model.BOOL, v_bool=value)
        case int():
            return model.KeyValue(key=key, v_type=model.INT64, v_int64=value)
        case float():
            return model.KeyValue(key=key, v_type=model.FLOAT64, v_float64=value)
        case bytes():
            return model.KeyValue(key=key, v_type=model.BINARY, v_binary=value)
    return model.KeyValue(key=key, v_str=value)
