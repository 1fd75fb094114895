"""gRPC as it is on HTTP, for a port that it shares with plain requests: its frames, status and metadata over ASGI.

What it needs of the server is trailers (`http.response.trailers`), which only HTTP/2 has here. grpc-web, which puts
them into the body, works on HTTP/1.1 too. Source: gRPC's PROTOCOL-HTTP2.md and PROTOCOL-WEB.md.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

import grpc
from starlette.types import Receive, Scope, Send

from collector.budget import Reservation
from collector.errors import ClientGone, MalformedPayload, PayloadTooLarge, UnsupportedPayload
from collector.inflate import Coding, Inflater
from collector.receivers.http_answer import Header, answer
from collector.receivers.http_body import BodyLimits, PlainBody

_GRPC, _WEB = b"application/grpc", b"application/grpc-web"
_FORMATS = (b"", b"+proto")
_CODINGS = {b"gzip": Coding.GZIP, b"deflate": Coding.DEFLATE}
_ACCEPTED_CODINGS = (b"grpc-accept-encoding", b"identity,deflate,gzip")
_PREFIX_BYTES = 5
_TRAILERS_FLAG = 0x80
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")

Metadata = Sequence[tuple[str, bytes]]


class GrpcCall:
    """One call, whose messages are read and written in turn until `finish`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        self._type: bytes = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        self._encoding: bytes = headers.get(b"grpc-encoding", b"identity").strip().lower()
        self._has_trailers = "http.response.trailers" in scope.get("extensions", {})
        self._receive = receive
        self._send = send
        self._unread = bytearray()
        self._ended = False
        self._started = False

    async def refused_as_no_call(self) -> bool:
        """Whether this is no call at all; then it has been answered in HTTP's own way."""
        is_web = self._is_web()
        if not is_web and self._type not in [_GRPC + form for form in _FORMATS]:
            await answer(self._send, 415, b"Missing or invalid Content-Type header.", b"text/plain; charset=utf-8")
            return True
        if not is_web and not self._has_trailers:
            await answer(self._send, 505, b"gRPC needs HTTP/2; grpc-web does not", b"text/plain; charset=utf-8")
            return True
        return False

    async def read(self, limits: BodyLimits, reservation: Reservation) -> bytes | None:
        """The next message, inflated; None when there is none. The reservation grew by its size as it came.

        Raises MalformedPayload, UnsupportedPayload (the compression), PayloadTooLarge, Overloaded, CannotInflate,
        ClientGone.
        """
        if not await self._have(_PREFIX_BYTES):
            if self._unread:
                raise MalformedPayload(f"expected a message's {_PREFIX_BYTES} first bytes, got {len(self._unread)}")
            return None
        flag, length = self._unread[0], int.from_bytes(self._unread[1:_PREFIX_BYTES])
        del self._unread[:_PREFIX_BYTES]
        if length > limits.wire_bytes:
            raise PayloadTooLarge(f"expected a message of at most {limits.wire_bytes} bytes, got {length}")
        coding = self._coding(flag)
        sink = (
            Inflater(coding, limits.inflated_bytes, reservation.grow) if coding else PlainBody(limits, reservation.grow)
        )
        while length:
            if not await self._have(1):
                raise MalformedPayload(f"expected {length} bytes more of a message, got its end")
            piece = bytes(self._unread[:length])
            del self._unread[: len(piece)]
            length -= len(piece)
            for _ in sink.feed(piece):
                await asyncio.sleep(0)
        return sink.finish()

    async def gone(self) -> None:
        """Return when the client has left; for calls that read no more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def write(self, message: bytes) -> None:
        """Send a response message."""
        if not self._started:
            await self._start([], trailers=not self._is_web())
        await self._send_body(b"\0" + len(message).to_bytes(4) + message, more=True)

    async def finish(self, code: grpc.StatusCode = grpc.StatusCode.OK, text: str = "", metadata: Metadata = ()) -> None:
        """End the call. metadata: trailers; the value of a name that ends in -bin is any bytes, as gRPC has it."""
        trailers: list[Header] = [(b"grpc-status", str(code.value[0]).encode())]
        if text:
            trailers.append((b"grpc-message", quote(text, safe=_PRINTABLE).encode()))
        trailers += [(name.encode(), b64encode(value).rstrip(b"=")) for name, value in metadata]
        if self._is_web():
            lines = b"".join(name + b":" + value + b"\r\n" for name, value in trailers)
            if not self._started:
                await self._start([], trailers=False)
            await self._send_body(bytes([_TRAILERS_FLAG]) + len(lines).to_bytes(4) + lines, more=False)
        elif self._started:
            await self._send_body(b"", more=False)
            await self._send({"type": "http.response.trailers", "headers": trailers})
        else:
            await self._start(trailers, trailers=False)
            await self._send_body(b"", more=False)

    def _is_web(self) -> bool:
        return self._type in [_WEB + form for form in _FORMATS]

    def _coding(self, flag: int) -> Coding | None:
        if flag not in (0, 1):
            raise MalformedPayload(f"expected 0 or 1 as a message's first byte, got {flag}")
        if flag == 0:
            return None
        coding = _CODINGS.get(self._encoding)
        if coding is None:
            raise UnsupportedPayload(f"expected gzip or deflate, got {self._encoding.decode('latin-1')[:40]}")
        return coding

    async def _have(self, size: int) -> bool:
        """Whether so many bytes are there to be read, once they have come or no more do."""
        while len(self._unread) < size and not self._ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone("the client left inside its call")
            self._unread += message.get("body", b"")
            self._ended = not message.get("more_body", False)
        return len(self._unread) >= size

    async def _start(self, headers: list[Header], *, trailers: bool) -> None:
        self._started = True
        lines = [(b"content-type", self._type), _ACCEPTED_CODINGS, *headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": lines, "trailers": trailers})

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
