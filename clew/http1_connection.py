"""The protocol that every HTTP connection begins with: uvicorn's HTTP/1.1, within bounds, or the way to HTTP/2."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clew.http2_bounds import PREFACE
from clew.http2_connection import Http2Connection

MAX_HEAD_BYTES = 64 * 1024
_OFFER = re.compile(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n|$)", re.IGNORECASE)
_SAYS_BODY = (b"content-length", b"transfer-encoding")


class Http1Connection(HttpToolsProtocol):
    """Bounds a request's line and headers, which httptools would keep for ever, and knows HTTP/2 by its first bytes."""

    _opening: bytes | None = b""
    _head_bytes = 0
    _in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.parser.should_upgrade() and any(name in _SAYS_BODY for name, _ in self.headers):
            raise ValueError("the parser would take this body for another protocol's")  # becomes a 400
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        if self._opening is not None:
            data = self._opening + data
            if PREFACE.startswith(data[: len(PREFACE)]):
                self._meet_http2(data)
                return
            self._opening = None
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES + len(data):
                self.transport.close()
                return
            data = _without_offer(data)
        super().data_received(data)

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that is not taken is nobody's fault."""

    def _meet_http2(self, data: bytes) -> None:
        if len(data) < len(PREFACE):
            self._opening = data  # P is also how POST begins
            return
        self.connections.discard(self)
        state = self.server_state
        connection = Http2Connection(self.app, self.connections, self.tasks, lambda: state.default_headers)
        connection.connection_made(self.transport)
        self.transport.set_protocol(connection)
        connection.data_received(data)


def _without_offer(data: bytes) -> bytes:
    """Java's HttpClient offers an upgrade to h2c with its first request, a post of spans too. llhttp takes what follows
    such a head for the other protocol, and the spans would be lost behind a 202; without the offer they are a body."""
    end = data.find(b"\r\n\r\n")
    end = len(data) if end < 0 else end
    if data.find(b"h2c", 0, end) < 0:
        return data
    return _OFFER.sub(b"", data[:end]) + data[end:]
