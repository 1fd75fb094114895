"""Zipkin v1 thrift: a list of spans in the binary protocol, without an envelope (SpanBytesDecoder.THRIFT).

The body of `POST /api/v1/spans` with the content type application/x-thrift. Field numbers: zipkinCore.thrift.
"""

from thriftpy2.thrift import TType

from collector.decode.decoded import DecodedColumns
from collector.decode.thrift_binary import ThriftReader
from collector.decode.thrift_bounds import ThriftDamaged
from collector.decode.zipkin_addresses import address_of_bytes
from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_span import RefusedSpanError, WireSpan
from collector.decode.zipkin_v1_conversion import v2_spans
from collector.decode.zipkin_v1_span import (
    V1Annotation,
    V1BinaryAnnotation,
    V1Endpoint,
    V1Span,
    address_of_host,
    known_endpoint,
    v1_span,
)
from collector.errors import MalformedPayload
from storage.batch import SpanColumns

_FIRST_BYTES = (TType.STRUCT, TType.STRING)
"""A list begins with the type of its elements; an old reporter wrote STRING."""
_BOOLEAN, _STRING = 0, 6
"""AnnotationType: of the values of binary annotations only these are read, as in Zipkin."""

_TRACE_ID = (TType.I64, 1)
_NAME = (TType.STRING, 3)
_ID = (TType.I64, 4)
_PARENT_ID = (TType.I64, 5)
_ANNOTATIONS = (TType.LIST, 6)
_BINARY_ANNOTATIONS = (TType.LIST, 8)
_DEBUG = (TType.BOOL, 9)
_TIMESTAMP = (TType.I64, 10)
_DURATION = (TType.I64, 11)
_TRACE_ID_HIGH = (TType.I64, 12)

_ANNOTATION_TIMESTAMP = (TType.I64, 1)
_ANNOTATION_VALUE = (TType.STRING, 2)
_ANNOTATION_HOST = (TType.STRUCT, 3)

_BINARY_KEY = (TType.STRING, 1)
_BINARY_VALUE = (TType.STRING, 2)
_BINARY_TYPE = (TType.I32, 3)
_BINARY_HOST = (TType.STRUCT, 4)

_HOST_IPV4 = (TType.I32, 1)
_HOST_PORT = (TType.I16, 2)
_HOST_SERVICE = (TType.STRING, 3)
_HOST_IPV6 = (TType.STRING, 4)


def decode(payload: bytes) -> DecodedColumns:
    """All spans of the list as v2, or MalformedPayload: Zipkin takes a list whole or not at all.

    One v1 span gives a span for each service that reported it. An empty payload is no spans; what follows the list is
    ignored. Annotations without a time or a value are left out. The message of MalformedPayload is Zipkin's, with the
    place in the list added.
    """
    if not payload:
        return DecodedColumns(SpanColumns())
    if payload[0] not in _FIRST_BYTES:
        raise MalformedPayload("Expected a THRIFT encoded list\n")
    spans: list[WireSpan] = []
    index = 0
    try:
        reader = ThriftReader(payload)
        for index in reader.elements():  # noqa: B007 - it is for the refusal
            spans += v2_spans(_span(reader))
    except (ThriftDamaged, RefusedSpanError) as error:
        raise MalformedPayload(f"{error.args[0]} reading List<Span> from TBinary, at $[{index}]") from error
    return DecodedColumns(columns_of(spans, escape_free=False))


def _span(reader: ThriftReader) -> V1Span:
    ids = {_TRACE_ID_HIGH: 0, _TRACE_ID: 0, _ID: 0, _PARENT_ID: 0}
    times = {_TIMESTAMP: 0, _DURATION: 0}
    name = ""
    debug = False
    annotations: list[V1Annotation] = []
    binary_annotations: list[V1BinaryAnnotation] = []
    for field in reader.fields():
        if field in ids:
            ids[field] = reader.i64()
        elif field in times:
            times[field] = reader.i64()
        elif field == _NAME:
            name = reader.text()
        elif field == _ANNOTATIONS:
            annotations += [kept for _ in reader.elements() if (kept := _annotation(reader)) is not None]
        elif field == _BINARY_ANNOTATIONS:
            binary_annotations += [found for _ in reader.elements() if (found := _binary(reader)) is not None]
        elif field == _DEBUG:
            debug = reader.byte() == 1
        else:
            reader.skip(field[0])
    span = v1_span(ids[_TRACE_ID_HIGH], ids[_TRACE_ID], ids[_ID], ids[_PARENT_ID])
    span.name, span.debug = name, debug
    span.timestamp, span.duration = times[_TIMESTAMP], times[_DURATION]
    span.annotations, span.binary_annotations = annotations, binary_annotations
    return span


def _annotation(reader: ThriftReader) -> V1Annotation | None:
    timestamp = 0
    value: str | None = None
    endpoint: V1Endpoint | None = None
    for field in reader.fields():
        if field == _ANNOTATION_TIMESTAMP:
            timestamp = reader.i64()
        elif field == _ANNOTATION_VALUE:
            value = reader.text()
        elif field == _ANNOTATION_HOST:
            endpoint = _endpoint(reader)
        else:
            reader.skip(field[0])
    return V1Annotation(timestamp, value, endpoint) if timestamp and value is not None else None


def _binary(reader: ThriftReader) -> V1BinaryAnnotation | None:
    key: str | None = None
    value: bytes | None = None
    kind: int | None = None
    endpoint: V1Endpoint | None = None
    for field in reader.fields():
        if field == _BINARY_KEY:
            key = reader.text()
        elif field == _BINARY_VALUE:
            value = reader.binary()
        elif field == _BINARY_TYPE:
            kind = reader.i32()
        elif field == _BINARY_HOST:
            endpoint = _endpoint(reader)
        else:
            reader.skip(field[0])
    if key is None or value is None:
        return None
    if kind == _STRING:
        return V1BinaryAnnotation(key, value.decode("utf-8", "replace"), endpoint)
    return address_of_host(key, endpoint) if kind == _BOOLEAN and value == b"\x01" else None


def _endpoint(reader: ThriftReader) -> V1Endpoint | None:
    service = ""
    port = 0
    addresses: dict[int, str] = {}
    for field in reader.fields():
        if field == _HOST_IPV4:
            _put_address(addresses, reader.read(4))
        elif field == _HOST_PORT:
            port = reader.i16() & 0xFFFF
        elif field == _HOST_SERVICE:
            service = reader.text()
        elif field == _HOST_IPV6:
            _put_address(addresses, reader.binary())
        else:
            reader.skip(field[0])
    return known_endpoint(V1Endpoint(service.lower() or None, addresses.get(4), addresses.get(6), port or None))


def _put_address(addresses: dict[int, str], raw: bytes) -> None:
    address = address_of_bytes(raw) if raw != bytes(4) else None  # the field is required, and 0 says not known
    if address is not None:
        addresses[address[0]] = address[1]
