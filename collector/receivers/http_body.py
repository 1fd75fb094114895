"""Reading a request body within its limits, from any ASGI server."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Message, Receive

from collector.budget import Reservation
from collector.errors import BodyTooSlow, ClientGone, PayloadTooLarge, UnsupportedPayload
from collector.inflate import Coding, Inflater

READ_TIMEOUT_S = 30.0
_CODINGS = {
    "": None,
    "identity": None,
    "gzip": Coding.GZIP,
    "x-gzip": Coding.GZIP,
    "deflate": Coding.DEFLATE,
    "zlib": Coding.DEFLATE,
}


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """wire_bytes: as it comes; inflated_bytes: after decompression; read_timeout_s: for all but its first part."""

    wire_bytes: int
    inflated_bytes: int
    read_timeout_s: float = READ_TIMEOUT_S


class BodyHeaders(NamedTuple):
    """The headers that describe a body, lower-case; "" when absent. content_length: None when absent or no number."""

    content_type: str
    content_encoding: str
    content_length: int | None


def body_headers(headers: Iterable[tuple[bytes, bytes]]) -> BodyHeaders:
    """Of raw ASGI headers; a content type comes without its parameters."""
    content_type = content_encoding = ""
    content_length: int | None = None
    for name, value in headers:
        if name == b"content-type":
            content_type = value.decode("latin-1").partition(";")[0].strip().lower()
        elif name == b"content-encoding":
            content_encoding = value.decode("latin-1").strip().lower()
        elif name == b"content-length" and value.isdigit():
            content_length = int(value)
    return BodyHeaders(content_type, content_encoding, content_length)


def coding_of(content_encoding: str) -> Coding | None:
    """What OpenTelemetry's and Jaeger's senders compress with; None is plain. UnsupportedPayload for anything else."""
    if content_encoding not in _CODINGS:
        raise UnsupportedPayload(f"expected content encoding gzip or deflate, got {content_encoding}")
    return _CODINGS[content_encoding]


async def read_body(
    receive: Receive, length: int | None, coding: Coding | None, limits: BodyLimits, reservation: Reservation
) -> bytes:
    """The whole body, inflated. The reservation grew by its size, piece by piece, before each was kept.

    Raises PayloadTooLarge, Overloaded, CannotInflate, BodyTooSlow, ClientGone.
    """
    if length is not None and length > limits.wire_bytes:
        raise _over_wire_limit(limits)
    message = await receive()
    sink = Inflater(coding, limits.inflated_bytes, reservation.grow) if coding else PlainBody(limits, reservation.grow)
    if not message.get("more_body", False):
        return await _read_parts(receive, message, sink, limits)
    try:
        async with asyncio.timeout(limits.read_timeout_s):
            return await _read_parts(receive, message, sink, limits)
    except TimeoutError as error:
        raise BodyTooSlow(f"expected the whole body within {limits.read_timeout_s:g} s") from error


class PlainBody:
    """A body as it is: what Inflater is for a compressed one."""

    def __init__(self, limits: BodyLimits, reserve: Callable[[int], None]) -> None:
        self._limit_bytes = limits.inflated_bytes
        self._reserve = reserve
        self._chunks: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> Iterable[None]:
        self._size_bytes += len(chunk)
        if self._size_bytes > self._limit_bytes:
            raise PayloadTooLarge(f"expected a body of at most {self._limit_bytes} bytes, got more")
        self._reserve(len(chunk))
        self._chunks.append(chunk)
        return ()

    def finish(self) -> bytes:
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)


async def _read_parts(receive: Receive, message: Message, sink: Inflater | PlainBody, limits: BodyLimits) -> bytes:
    wire_bytes = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone("the client left inside the body")
        chunk = message.get("body", b"")
        wire_bytes += len(chunk)
        if wire_bytes > limits.wire_bytes:
            raise _over_wire_limit(limits)
        if chunk:
            for _ in sink.feed(chunk):
                await asyncio.sleep(0)
        if not message.get("more_body", False):
            return sink.finish()
        message = await receive()


def _over_wire_limit(limits: BodyLimits) -> PayloadTooLarge:
    return PayloadTooLarge(f"expected a body of at most {limits.wire_bytes} bytes on the wire, got more")
