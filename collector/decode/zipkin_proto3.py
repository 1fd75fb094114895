"""Zipkin v2 protobuf (ListOfSpans): `POST /api/v2/spans` with application/x-protobuf, and gRPC's Report on 9411.

The list is cut by hand and each span parsed by itself, so that what a payload takes stays in proportion to its size.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from collector.decode.decoded import DecodedColumns
from collector.decode.proportions import LARGE_BYTES, LEAST_MEAN_BYTES, PARTS_MAX, SPANS_UNJUDGED
from collector.decode.protobuf_fields import fields
from collector.decode.zipkin_addresses import address_of_bytes
from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_span import RefusedSpanError, WireAnnotation, WireEndpoint, WireSpan
from collector.errors import MalformedPayload
from storage.batch import SpanColumns
from wire import zipkin_lean_pb2 as lean

_SPANS = 1
_FIRST_BYTE = _SPANS << 3 | 2
_KINDS = (None, "CLIENT", "SERVER", "PRODUCER", "CONSUMER")
_LONGEST_ID_BYTES = 32


def decode(payload: bytes) -> DecodedColumns:
    """All spans of the list, or MalformedPayload: Zipkin takes a list whole or not at all.

    An empty payload is no spans. Kinds that Zipkin does not know, annotations without a time or a value, tags without
    a key and unknown fields are left out; text that is not UTF-8 has U+FFFD in its place, where protobuf would refuse
    all. The message of MalformedPayload is in Zipkin's words, with the place in the list added.
    """
    if not payload:
        return DecodedColumns(SpanColumns())
    if payload[0] != _FIRST_BYTE or len(payload) < 2 or not payload[1]:
        raise MalformedPayload("Expected a PROTO3 encoded list\n")
    try:
        return DecodedColumns(columns_of(list(_spans(payload)), escape_free=False))
    except RefusedSpanError as error:
        place = f", {error.place}" if error.place else ""
        raise MalformedPayload(f"{error.cause} reading List<Span> from proto3{place}") from error


def _spans(payload: bytes) -> Iterator[WireSpan]:
    row = 0
    try:
        for number, _, start, end in fields(payload, 0, len(payload)):
            if number == _SPANS:
                _require_modest(payload, row, start, end)
                yield _span(lean.Span.FromString(payload[start:end]), row)
                row += 1
    except DecodeError as error:
        raise RefusedSpanError(f"Malformed: {error}", f"at $[{row}]") from error


def _require_modest(payload: bytes, row: int, start: int, end: int) -> None:
    if row >= SPANS_UNJUDGED and row * LEAST_MEAN_BYTES > start:
        raise RefusedSpanError(f"Expected spans with ids, got {row} of them in the first {start} bytes")
    if end - start > LARGE_BYTES:
        for count, _ in enumerate(fields(payload, start, end)):
            if count >= PARTS_MAX:
                raise RefusedSpanError(f"Expected at most {PARTS_MAX} fields in a span, got more", f"at $[{row}]")


def _span(span: lean.Span, row: int) -> WireSpan:
    found = WireSpan(_hex(span.trace_id, "traceId", row), _hex(span.id, "id", row))
    missing = [name for name, text in (("traceId", found.trace_id), ("id", found.id)) if not text]
    if missing:
        raise RefusedSpanError(f"Missing : {' '.join(missing)}", f"at $[{row}]")
    found.parent_id = _hex(span.parent_id, "parentId", row) or None
    found.kind = _KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else None
    found.name = _text(span.name)
    found.timestamp, found.duration = span.timestamp, span.duration
    if span.HasField("local_endpoint"):
        found.local_endpoint = _endpoint(span.local_endpoint)
    if span.HasField("remote_endpoint"):
        found.remote_endpoint = _endpoint(span.remote_endpoint)
    found.annotations = [
        WireAnnotation(annotation.timestamp, _text(annotation.value))
        for annotation in span.annotations
        if annotation.timestamp and annotation.value
    ] or None
    found.tags = {_text(tag.key): _text(tag.value) for tag in span.tags if tag.key} or None
    found.debug, found.shared = span.debug, span.shared
    return found


def _hex(raw: bytes, field: str, row: int) -> str:
    if len(raw) > _LONGEST_ID_BYTES:
        raise RefusedSpanError(f"Expected at most {_LONGEST_ID_BYTES} bytes, got {len(raw)}", f"at $[{row}].{field}")
    return raw.hex()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _endpoint(endpoint: lean.Endpoint) -> WireEndpoint:
    return WireEndpoint(_text(endpoint.service_name), _ip_text(endpoint.ipv4), _ip_text(endpoint.ipv6), endpoint.port)


def _ip_text(raw: bytes) -> str | None:
    address = address_of_bytes(raw) if raw else None
    return address and address[1]
