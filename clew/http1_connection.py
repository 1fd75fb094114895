"""The protocol that every HTTP connection begins with: uvicorn's HTTP/1.1, within bounds, or the way to HTTP/2."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clew.http2_connection import PREFACE, Http2Connection

MAX_HEAD_BYTES = 64 * 1024


class Http1Connection(HttpToolsProtocol):
    """Bounds a request's line and headers, which httptools would keep for ever, and knows HTTP/2 by its first bytes."""

    _opening: bytes | None = b""
    _head_bytes = 0
    _in_head = True

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

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
        super().data_received(data)

    def _unsupported_upgrade_warning(self) -> None:
        """Java's own client offers h2c with its first request, is content with HTTP/1.1, and need not be warned of."""

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
