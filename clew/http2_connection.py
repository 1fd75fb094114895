"""HTTP/2 without TLS, for clients that begin with it at once (prior knowledge): gRPC, okhttp, curl, armeria.

uvicorn speaks HTTP/1.1 only. A connection that opens with HTTP/2's preface is handed over to this protocol, with the
same application behind it; the frames and their rules are the h2 library's. The connection counts among uvicorn's, so
that its shutdown waits for this one's requests as for its own.
"""

import asyncio
from collections.abc import Callable, Iterable, MutableSet
from functools import partial
from typing import Any

from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame
from starlette.types import ASGIApp

from clew.http2_bounds import CONNECTION_WINDOW_BYTES, MAX_STREAMS, FrameLengths, server_connection
from clew.http2_stream import Header, Http2Stream, scope_of

MAX_UNWANTED_BYTES = 32 * 1024 * 1024
"""Of one request, after its response."""
LOOK_AFTER_S = 75.0
"""A connection silent for so long is closed when it has no requests, and asked for a sign of life when it has."""
_FIRST_WINDOW_BYTES = 65_535


class Http2Connection(asyncio.Protocol):
    """Serves `app`. connections, tasks: uvicorn's sets of what a shutdown waits for."""

    def __init__(
        self,
        app: ASGIApp,
        connections: MutableSet[Any],
        tasks: MutableSet[asyncio.Task[None]],
        common_headers: Callable[[], Iterable[Header]] = tuple,
        look_after_s: float = LOOK_AFTER_S,
    ) -> None:
        self._app = app
        self._connections = connections
        self._tasks = tasks
        self._common_headers = common_headers
        self._look_after_s = look_after_s
        self._streams: dict[int, Http2Stream] = {}
        self._unwanted: dict[int, int] = {}
        self._running = 0
        self._last_stream = 0
        self._draining = False
        self._heard = True
        self._asked = False
        self._moved = asyncio.Event()
        self._writable = True
        self._h2 = server_connection()
        self._lengths = FrameLengths()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a TCP server
        self._transport = transport
        self._client = _address(transport, "peername")
        self._server = _address(transport, "sockname")
        self._connections.add(self)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW_BYTES - _FIRST_WINDOW_BYTES)
        self._flush()
        self._timer = asyncio.get_running_loop().call_later(self._look_after_s, self._look_after)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._timer.cancel()
        for stream in self._streams.values():
            stream.disconnect()
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            if not self._lengths.fit(data):
                self._h2.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
                raise ProtocolError("a frame is longer than allowed")
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()  # h2 has said why in a GOAWAY
            self._transport.close()
            return
        for event in events:
            self._on(event)
        self._flush()

    def pause_writing(self) -> None:
        """The client does not read; then nothing is read of it either, lest answers to pings pile up."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        self._transport.resume_reading()
        self._wake()

    def shutdown(self) -> None:
        """Take no new request; close when the running ones are answered. The client may repeat those not taken."""
        if not self._draining and not self._transport.is_closing():
            self._draining = True
            # Not by h2, which would consider the connection closed.
            self._transport.write(GoAwayFrame(0, last_stream_id=self._last_stream).serialize())
        self._close_when_done()

    def consumed(self, stream_id: int, size: int) -> None:
        """As Wire."""
        if not self._transport.is_closing():
            self._h2.acknowledge_received_data(size, stream_id)
            self._flush()

    def send_headers(self, stream_id: int, headers: list[Header], *, end: bool) -> None:
        """As Wire."""
        self._attempt(stream_id, partial(self._h2.send_headers, stream_id, headers, end_stream=end))

    async def send_body(self, stream_id: int, body: bytes, *, end: bool) -> None:
        """As Wire."""
        rest = memoryview(body)
        while stream_id in self._streams and not self._streams[stream_id].disconnected:
            room = await self._room(stream_id) if rest else 0
            piece, rest = bytes(rest[:room]), rest[room:]
            self._attempt(stream_id, partial(self._h2.send_data, stream_id, piece, end_stream=end and not rest))
            if not rest:
                return

    def finished(self, stream_id: int, *, whole_request: bool, whole_response: bool) -> None:
        """As Wire."""
        stream = self._streams.pop(stream_id)
        if not whole_response and not stream.disconnected:
            self._attempt(stream_id, partial(self._h2.reset_stream, stream_id, ErrorCodes.INTERNAL_ERROR))
        elif not whole_request and not stream.disconnected:
            self._unwanted[stream_id] = 0
        if self._draining:
            self._close_when_done()

    def _on(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                stream = self._streams.get(event.stream_id)
                if stream is None:
                    self._discard(event)
                else:
                    stream.feed(event.data, event.flow_controlled_length)
            case StreamEnded():
                self._unwanted.pop(event.stream_id, None)
                if event.stream_id in self._streams:
                    self._streams[event.stream_id].end_request()
            case StreamReset():
                self._unwanted.pop(event.stream_id, None)
                self._leave(event.stream_id)
            case WindowUpdated() | RemoteSettingsChanged():
                self._wake()
            case ConnectionTerminated():
                self._transport.close()

    def _begin(self, request: RequestReceived) -> None:
        stream_id = request.stream_id
        if self._draining or self._running >= MAX_STREAMS:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream = stream_id
        scope = scope_of(request.headers, self._client, self._server)
        stream = Http2Stream(self, stream_id, scope, self._common_headers())
        self._streams[stream_id] = stream
        self._running += 1
        task = asyncio.get_running_loop().create_task(stream.run(self._app))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _discard(self, data: DataReceived) -> None:
        """A response may end before its request (RFC 9113 8.1). The stream might be reset at once, but curl and httpx
        then lose the response they have; so the rest is taken and dropped, up to a limit."""
        self.consumed(data.stream_id, data.flow_controlled_length)
        if data.stream_id in self._unwanted:
            self._unwanted[data.stream_id] += len(data.data)
            if self._unwanted[data.stream_id] > MAX_UNWANTED_BYTES:
                del self._unwanted[data.stream_id]
                self._attempt(data.stream_id, partial(self._h2.reset_stream, data.stream_id, ErrorCodes.NO_ERROR))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._running -= 1

    def _leave(self, stream_id: int) -> None:
        if stream_id in self._streams:
            self._streams[stream_id].disconnect()
            self._wake()

    async def _room(self, stream_id: int) -> int:
        """How much may be sent on this stream now, once it is more than nothing; nothing when the client is gone."""
        while not self._streams[stream_id].disconnected and not self._transport.is_closing():
            try:
                room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            except ProtocolError:
                self._leave(stream_id)
                break
            if room > 0 and self._writable:
                return room
            await self._moved.wait()
        return 0

    def _attempt(self, stream_id: int, send: Callable[[], None]) -> None:
        try:
            send()
        except ProtocolError:
            self._leave(stream_id)  # its client reset it, or the whole connection is over
        self._flush()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _close_when_done(self) -> None:
        if not self._streams:
            self._transport.close()

    def _look_after(self) -> None:
        if not self._heard and self._asked:
            self._transport.abort()
            return
        if not self._heard and not self._streams:
            self.shutdown()
            return
        if not self._heard:
            self._h2.ping(b"clewping")
            self._flush()
        self._asked, self._heard = not self._heard, False
        self._timer = asyncio.get_running_loop().call_later(self._look_after_s, self._look_after)


def _address(transport: asyncio.Transport, name: str) -> tuple[str, int] | None:
    found = transport.get_extra_info(name)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
