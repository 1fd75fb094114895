"""Zipkin v1 spans between a payload and their conversion to v2, whichever format they came in.

In v1 every annotation names the host that made it, and one span id may be used by two hosts: there is no kind, no
shared flag and no local or remote endpoint (zipkin2.v1.V1Span).
"""

from typing import NamedTuple

from msgspec import Struct

from collector.decode.zipkin_addresses import address_of
from collector.decode.zipkin_span import RefusedSpanError, WireEndpoint

ADDRESSES = frozenset(("ca", "sa", "ma"))
"""The addresses of a client, a server and a message broker."""

_MASK_64 = (1 << 64) - 1
_LONGEST_ID = 32
_HEX_PER_64 = 16
_SHOWN_CHARACTERS = 100
_LOWER_HEX = frozenset("0123456789abcdef")


class V1Endpoint(NamedTuple):
    """A host, normalised so that equal ones compare equal: lower-case name, canonical addresses, port 1 to 65535."""

    service: str | None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class V1Annotation(NamedTuple):
    """Something that happened. timestamp: epoch microseconds."""

    timestamp: int
    value: str
    endpoint: V1Endpoint | None = None


class V1BinaryAnnotation(NamedTuple):
    """A tag; or, when there is no value, the address of a host (`key` is one of ADDRESSES)."""

    key: str
    value: str | None
    endpoint: V1Endpoint | None = None


class V1Span(Struct, gc=False):
    """Ids are lower-hex of 16 or 32 characters, parent_id None for a root; microseconds, 0 when not known."""

    trace_id: str
    id: str
    parent_id: str | None = None
    name: str | None = None
    timestamp: int = 0
    duration: int = 0
    debug: bool = False
    annotations: list[V1Annotation] = []
    binary_annotations: list[V1BinaryAnnotation] = []


def v1_span(trace_id_high: int, trace_id: int, span_id: int, parent_id: int) -> V1Span:
    """A span with nothing but ids, given as 64-bit numbers of either sign. RefusedSpanError when one must not be 0."""
    if not trace_id:
        raise RefusedSpanError("traceId == 0")
    if not span_id:
        raise RefusedSpanError("id == 0")
    low = _hex_of(trace_id)
    return V1Span(
        _hex_of(trace_id_high) + low if trace_id_high else low,
        _hex_of(span_id),
        _hex_of(parent_id) if parent_id else None,
    )


def trace_id_halves(text: str) -> tuple[int, int]:
    """High and low 64 bits. As in Zipkin the high ones are kept of exactly 32 characters only."""
    high = id_number(text[:_HEX_PER_64]) if len(text) == _LONGEST_ID else 0
    return high, id_number(text)


def id_number(text: str) -> int:
    """The low 64 bits of 1 to 32 lower-hex characters. RefusedSpanError in Zipkin's words."""
    used = text[-_HEX_PER_64:]
    if not 1 <= len(text) <= _LONGEST_ID or not _LOWER_HEX.issuperset(used):
        shown = text[:_SHOWN_CHARACTERS]
        raise RefusedSpanError(f"{shown} should be a 1 to 32 character lower-hex string with no prefix")
    return int(used, 16)


def endpoint_of(wire: WireEndpoint | None) -> V1Endpoint | None:
    """The host in normal form; None when nothing is known of it. RefusedSpanError when its port is none."""
    if wire is None:
        return None
    port = wire.port or 0
    if port > 65535:
        raise RefusedSpanError(f"invalid port {port}")
    found: dict[int, str] = {}
    for text in (wire.ipv4, wire.ipv6):
        address = address_of(text) if text else None
        if address is not None:
            found[address[0]] = address[1]
    service = wire.service_name.lower() if wire.service_name else None
    return known_endpoint(V1Endpoint(service, found.get(4), found.get(6), port if port > 0 else None))


def known_endpoint(endpoint: V1Endpoint) -> V1Endpoint | None:
    """The endpoint, or None when it says nothing."""
    return endpoint if any(endpoint) else None


def address_of_host(key: str, endpoint: V1Endpoint | None) -> V1BinaryAnnotation | None:
    """What a binary annotation with the value true says; None when that is nothing."""
    return V1BinaryAnnotation(key, None, endpoint) if key in ADDRESSES and endpoint is not None else None


def _hex_of(number: int) -> str:
    return f"{number & _MASK_64:016x}"
