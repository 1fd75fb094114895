"""Trace and span ids: the one place that knows their shapes.

A trace id is 16 raw bytes, big-endian; a 64-bit id is zero-padded on the left. A span id is 8 raw bytes.
Text forms differ by peer: Zipkin and Jaeger JSON write 16 hex digits when the high half is zero, else 32.
"""

from typing import NewType

TraceId = NewType("TraceId", bytes)
SpanId = NewType("SpanId", bytes)

NO_SPAN = SpanId(bytes(8))
NO_TRACE = TraceId(bytes(16))
_ZERO_HIGH = bytes(8)


def trace_id_of(hex_text: str) -> TraceId:
    """The id written as 1 to 32 hex digits, left-padded with zeros. ValueError when it is not that."""
    if not 1 <= len(hex_text) <= 32:
        raise ValueError(f"expected 1 to 32 hex characters, got {len(hex_text)}")
    _refuse_white_space(hex_text)
    return TraceId(bytes.fromhex(hex_text.rjust(32, "0")))


def span_id_of(hex_text: str) -> SpanId:
    """The id written as 1 to 16 hex digits, left-padded with zeros. ValueError when it is not that."""
    if not 1 <= len(hex_text) <= 16:
        raise ValueError(f"expected 1 to 16 hex characters, got {len(hex_text)}")
    _refuse_white_space(hex_text)
    return SpanId(bytes.fromhex(hex_text.rjust(16, "0")))


def _refuse_white_space(hex_text: str) -> None:
    # bytes.fromhex skips it.
    if not hex_text.isalnum():
        raise ValueError(f"expected hex characters only, got {hex_text!r}")


def short_hex(trace_id: TraceId) -> str:
    """16 lower-hex digits when the high 64 bits are zero, else 32: how Zipkin and Jaeger JSON write it."""
    return trace_id[8:].hex() if trace_id.startswith(_ZERO_HIGH) else trace_id.hex()


def low_half(trace_id: TraceId) -> bytes:
    """The right-most 64 bits: what Zipkin groups by when STRICT_TRACE_ID is false, and always when it links."""
    return trace_id[8:]


def grouping_key(trace_id: TraceId, strict: bool) -> bytes:
    """What spans are gathered into traces by: the whole trace id, or its low 64 bits."""
    return trace_id if strict else low_half(trace_id)
