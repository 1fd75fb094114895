"""A protobuf export request as groups of spans that share a resource and a scope.

Small payloads go through protobuf whole. Large ones are cut by hand into pieces of consecutive spans first, because
protobuf's objects outgrow their bytes: 4 MB of empty two-byte spans took 357 MB. Cut so, a hostile payload costs a
small multiple of its own size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from collector.errors import MalformedPayload
from wire import otlp_lean_pb2 as lean

WHOLE_MAX_BYTES = 512 * 1024
PIECE_BYTES = 256 * 1024
FIELDS_PER_SPAN_MAX = 16_384
"""Attributes, events and links of one span; counted only in spans larger than a piece."""
_LEAST_MEAN_BYTES = 16
"""A span with both its ids takes 28 bytes: a payload whose messages are smaller than this on average is no batch."""
_MESSAGES_UNJUDGED = 4096

_RESOURCE_SPANS = 1
_RESOURCE, _SCOPE_SPANS = 1, 2
_SCOPE, _SPANS = 1, 2
_SCHEMA_URL = 3
_UNKNOWN = 0
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5

_Slice = tuple[int, int]
_Field = tuple[int, int, int, int]
"""Number, where the field begins, where its content begins and ends."""


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """Consecutive spans of one ScopeSpans. where: its place in the payload; first: the index of its first span."""

    resource: bytes
    resource_schema_url: bytes
    scope: bytes
    scope_schema_url: bytes
    spans: Sequence[lean.Span]
    where: str
    first: int = 0


def span_groups(payload: bytes) -> Iterator[SpanGroup]:
    """The groups in their order, without empty ones. MalformedPayload when the payload is not protobuf."""
    try:
        yield from _whole(payload) if len(payload) <= WHOLE_MAX_BYTES else _Cutter(payload).groups()
    except DecodeError as error:
        raise MalformedPayload(f"expected an OTLP ExportTraceServiceRequest as protobuf: {error}") from None


def _whole(payload: bytes) -> Iterator[SpanGroup]:
    for i, resource_spans in enumerate(lean.ExportRequest.FromString(payload).resource_spans):
        for j, scope_spans in enumerate(resource_spans.scope_spans):
            if spans := scope_spans.spans:
                yield SpanGroup(
                    resource_spans.resource,
                    resource_spans.schema_url,
                    scope_spans.scope,
                    scope_spans.schema_url,
                    spans,
                    f"resourceSpans[{i}].scopeSpans[{j}]",
                )


class _Cutter:
    """Walks the outer three levels of one payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._messages = 0

    def groups(self) -> Iterator[SpanGroup]:
        index = 0
        for number, _, start, end in self._fields(0, len(self._payload)):
            if number == _RESOURCE_SPANS:
                self._count_message(start)
                yield from self._of_resource(start, end, f"resourceSpans[{index}]")
                index += 1

    def _of_resource(self, start: int, end: int, where: str) -> Iterator[SpanGroup]:
        resource = schema_url = b""
        scopes: list[_Slice] = []
        for number, _, at, to in self._fields(start, end):
            if number == _RESOURCE:
                resource = self._payload[at:to]
            elif number == _SCHEMA_URL:
                schema_url = self._payload[at:to]
            elif number == _SCOPE_SPANS:
                self._count_message(at)
                scopes.append((at, to))
        for j, (at, to) in enumerate(scopes):
            yield from self._of_scope(at, to, (resource, schema_url), f"{where}.scopeSpans[{j}]")

    def _of_scope(self, start: int, end: int, resource: tuple[bytes, bytes], where: str) -> Iterator[SpanGroup]:
        scope = schema_url = b""
        pieces = [(start, 0)]
        spans = 0
        for number, begin, at, to in self._fields(start, end):
            if number == _SCOPE:
                scope = self._payload[at:to]
            elif number == _SCHEMA_URL:
                schema_url = self._payload[at:to]
            elif number == _SPANS:
                self._count_message(at)
                if to - pieces[-1][0] > PIECE_BYTES:
                    pieces.append((begin, spans))
                    self._require_modest(at, to, f"{where}.spans[{spans}]")
                spans += 1
        ends = [begin for begin, _ in pieces[1:]] + [end]
        for (begin, first), to in zip(pieces, ends, strict=True):
            if found := lean.ScopeSpans.FromString(self._payload[begin:to]).spans:
                yield SpanGroup(*resource, scope, schema_url, found, where, first)

    def _count_message(self, at: int) -> None:
        self._messages += 1
        if self._messages > _MESSAGES_UNJUDGED and self._messages * _LEAST_MEAN_BYTES > at:
            raise MalformedPayload(
                f"expected spans with ids, got {self._messages} messages in the first {at} bytes of the payload"
            )

    def _require_modest(self, start: int, end: int, where: str) -> None:
        if end - start <= PIECE_BYTES:
            return
        for count, _ in enumerate(self._fields(start, end)):
            if count >= FIELDS_PER_SPAN_MAX:
                raise MalformedPayload(f"{where}: expected at most {FIELDS_PER_SPAN_MAX} fields in a span, got more")

    def _fields(self, position: int, end: int) -> Iterator[_Field]:
        payload = self._payload
        while position < end:
            begin = position
            tag, position = self._varint(position, end)
            wire_type, number = tag & 7, tag >> 3
            if wire_type == _LENGTH_DELIMITED:
                size = payload[position] if position < end else 0x80
                if size < 0x80:
                    position += 1
                else:
                    size, position = self._varint(position, end)
                start, position = position, position + size
            else:
                start, position, number = position, self._skip(wire_type, position, end), _UNKNOWN
            if position > end:
                raise DecodeError(f"a field at byte {begin} reaches beyond its message")
            yield number, begin, start, position

    def _skip(self, wire_type: int, position: int, end: int) -> int:
        if wire_type == _VARINT:
            return self._varint(position, end)[1]
        if wire_type == _FIXED64:
            return position + 8
        if wire_type == _FIXED32:
            return position + 4
        raise DecodeError(f"wire type {wire_type} at byte {position}")

    def _varint(self, position: int, end: int) -> _Slice:
        value = shift = 0
        while position < end and shift < 64:
            byte = self._payload[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
            shift += 7
        raise DecodeError(f"a number at byte {position} does not end")
