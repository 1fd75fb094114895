"""A protobuf export request as groups of spans that share a resource and a scope.

Small payloads go through protobuf whole. Large ones are cut by hand into pieces of consecutive spans first, because
protobuf's objects outgrow their bytes (`protobuf_fields`). Cut so, a hostile payload costs a small multiple of its own
size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from collector.decode.protobuf_fields import MessageCount, fields, require_modest
from collector.errors import MalformedPayload
from wire import otlp_lean_pb2 as lean

WHOLE_MAX_BYTES = 512 * 1024
PIECE_BYTES = 256 * 1024

_RESOURCE_SPANS = 1
_RESOURCE, _SCOPE_SPANS = 1, 2
_SCOPE, _SPANS = 1, 2
_SCHEMA_URL = 3
_EVENTS_AND_LINKS = (11, 13)

_Slice = tuple[int, int]


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
        self._count = MessageCount()

    def groups(self) -> Iterator[SpanGroup]:
        index = 0
        for number, _, start, end in fields(self._payload, 0, len(self._payload)):
            if number == _RESOURCE_SPANS:
                self._count.add(start)
                yield from self._of_resource(start, end, f"resourceSpans[{index}]")
                index += 1

    def _of_resource(self, start: int, end: int, where: str) -> Iterator[SpanGroup]:
        resource = schema_url = b""
        scopes: list[_Slice] = []
        for number, _, at, to in fields(self._payload, start, end):
            if number == _RESOURCE:
                require_modest(self._payload, at, to, f"{where}.resource")
                resource = self._payload[at:to]
            elif number == _SCHEMA_URL:
                schema_url = self._payload[at:to]
            elif number == _SCOPE_SPANS:
                self._count.add(at)
                scopes.append((at, to))
        for j, (at, to) in enumerate(scopes):
            yield from self._of_scope(at, to, (resource, schema_url), f"{where}.scopeSpans[{j}]")

    def _of_scope(self, start: int, end: int, resource: tuple[bytes, bytes], where: str) -> Iterator[SpanGroup]:
        scope = schema_url = b""
        pieces = [(start, 0)]
        spans = 0
        for number, begin, at, to in fields(self._payload, start, end):
            if number == _SCOPE:
                require_modest(self._payload, at, to, f"{where}.scope")
                scope = self._payload[at:to]
            elif number == _SCHEMA_URL:
                schema_url = self._payload[at:to]
            elif number == _SPANS:
                self._count.add(at)
                if to - pieces[-1][0] > PIECE_BYTES:
                    pieces.append((begin, spans))
                    require_modest(self._payload, at, to, f"{where}.spans[{spans}]", _EVENTS_AND_LINKS)
                spans += 1
        ends = [begin for begin, _ in pieces[1:]] + [end]
        for (begin, first), to in zip(pieces, ends, strict=True):
            if found := lean.ScopeSpans.FromString(self._payload[begin:to]).spans:
                yield SpanGroup(*resource, scope, schema_url, found, where, first)
