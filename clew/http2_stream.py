"""One request on an HTTP/2 connection, as ASGI sees it: body in, response and trailers out."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

log = logging.getLogger("clew")

Header = tuple[bytes, bytes]

_OF_A_CONNECTION = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
"""Headers of HTTP/1.1 that HTTP/2 forbids."""


class Wire(Protocol):
    """What a stream needs of its connection. Nothing is sent on a stream that the client has left."""

    def consumed(self, stream_id: int, size: int) -> None:
        """So many bytes of the window were read and may be sent again."""

    def send_headers(self, stream_id: int, headers: list[Header], *, end: bool) -> None: ...

    async def send_body(self, stream_id: int, body: bytes, *, end: bool) -> None:
        """Return when all of it has left within the client's windows."""

    def finished(self, stream_id: int, *, whole_request: bool, whole_response: bool) -> None:
        """The response is out, or no more of it will come."""


class Http2Stream:
    """Lives on the event loop. What the client sends is buffered no further than its flow-control window."""

    def __init__(self, wire: Wire, stream_id: int, scope: Scope, common_headers: Iterable[Header]) -> None:
        self.disconnected = False
        self._wire = wire
        self._id = stream_id
        self._scope = scope
        self._common_headers = common_headers
        self._unread = bytearray()
        self._unread_window = 0
        self._request_ended = False
        self._end_told = False
        self._news = asyncio.Event()
        self._start: Message | None = None
        self._started = False
        self._complete = False

    def feed(self, data: bytes, window: int) -> None:
        """A piece of the body came, for which `window` bytes of the client's window are used until it is read."""
        if self._complete or not data:
            self._wire.consumed(self._id, window)
            return
        self._unread += data
        self._unread_window += window
        self._news.set()

    def end_request(self) -> None:
        """The body is whole."""
        self._request_ended = True
        self._news.set()

    def disconnect(self) -> None:
        """The client has left; the application is told when it asks."""
        self.disconnected = True
        self._news.set()

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer. Its faults end here, as a 500 or an unfinished response."""
        try:
            await app(self._scope, self._receive, self._send)
        except Exception:
            log.exception("fault while answering %s %r", self._scope["method"], self._scope["path"][:200])
        finally:
            self._finish()

    async def _receive(self) -> Message:
        while not (self._unread or self.disconnected or self._complete or self._request_ended > self._end_told):
            self._news.clear()
            await self._news.wait()
        if self.disconnected or self._complete:
            return {"type": "http.disconnect"}
        body = bytes(self._unread)
        self._release()
        self._end_told = self._request_ended
        return {"type": "http.request", "body": body, "more_body": not self._request_ended}

    async def _send(self, message: Message) -> None:
        if self.disconnected or self._complete:
            return
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            await self._send_body(message)
        elif message["type"] == "http.response.trailers" and not message.get("more_trailers", False):
            self._complete = True
            self._wire.send_headers(self._id, _lower(message["headers"]), end=True)

    async def _send_body(self, message: Message) -> None:
        assert self._start is not None, "a response must start before its body"
        trailers = self._start.get("trailers", False)
        last = not message.get("more_body", False) and not trailers
        body = b"" if self._scope["method"] == "HEAD" else message.get("body", b"")
        head_only = False
        if not self._started:
            self._started = True
            head_only = last and not body
            self._send_head(end=head_only)
        if (body or last) and not head_only:
            await self._wire.send_body(self._id, body, end=last)
        self._complete = last

    def _send_head(self, *, end: bool) -> None:
        assert self._start is not None
        status = str(self._start["status"]).encode()
        given = _lower(self._start.get("headers", ()))
        self._wire.send_headers(self._id, [(b":status", status), *self._common_headers, *given], end=end)

    def _finish(self) -> None:
        if not self._started and not self.disconnected:
            self._wire.send_headers(self._id, [(b":status", b"500"), (b"content-length", b"0")], end=True)
            self._complete = True
        whole_response, self._complete = self._complete, True
        self._release()
        self._news.set()
        self._wire.finished(self._id, whole_request=self._request_ended, whole_response=whole_response)

    def _release(self) -> None:
        size, self._unread_window = self._unread_window, 0
        self._unread.clear()
        if size:
            self._wire.consumed(self._id, size)


def scope_of(headers: Iterable[Header], client: tuple[str, int] | None, server: tuple[str, int] | None) -> Scope:
    """The ASGI scope of a request with these headers, pseudo-headers among them."""
    pseudo: dict[bytes, bytes] = {}
    others: list[Header] = []
    for name, value in headers:
        if name.startswith(b":"):
            pseudo[name] = value
        else:
            others.append((name, value))
    if b":authority" in pseudo and not any(name == b"host" for name, _ in others):
        others.insert(0, (b"host", pseudo[b":authority"]))
    raw_path, _, query = pseudo.get(b":path", b"").partition(b"?")
    path = raw_path.decode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": pseudo[b":method"].decode("latin-1"),
        "scheme": pseudo.get(b":scheme", b"http").decode("latin-1"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": others,
        "client": client,
        "server": server,
        "state": {},
        "extensions": {"http.response.trailers": {}},
    }


def _lower(headers: Iterable[Header]) -> list[Header]:
    return [
        (name, value)
        for name, value in ((name.lower(), value) for name, value in headers)
        if name not in _OF_A_CONNECTION
    ]
