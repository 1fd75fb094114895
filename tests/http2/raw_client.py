"""An HTTP/2 client that does exactly what a test says, frame by frame."""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

PATIENCE_S = 20.0
Kind = TypeVar("Kind", bound=Event)


class RawClient:
    """`async with RawClient(address) as client`: a connection with the preface sent. `h2` is the state behind it."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._where = (host, int(port))
        self.h2 = H2Connection(H2Configuration(client_side=True))
        self.events: list[Event] = []
        self.closed = False

    async def __aenter__(self) -> Self:
        self._reader, self.writer = await asyncio.open_connection(*self._where)
        self.h2.initiate_connection()
        await self.flush()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()

    async def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def request(
        self, path: str = "/", *, method: str = "GET", end: bool = True, headers: Mapping[str, str] | None = None
    ) -> int:
        """Send a request's head; gives the number of its stream."""
        stream_id = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "http"), (":authority", "clew"), (":path", path)]
        self.h2.send_headers(stream_id, [*pseudo, *(headers or {}).items()], end_stream=end)
        await self.flush()
        return stream_id

    async def send(self, stream_id: int, body: bytes, *, end: bool = True) -> None:
        """Send what the server's windows allow, waiting for them; all of it in the end."""
        rest = body
        while True:
            room = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)
            if room or not rest:
                piece, rest = rest[:room], rest[room:]
                self.h2.send_data(stream_id, piece, end_stream=end and not rest)
                await self.flush()
                if not rest:
                    return
            else:
                await self._receive()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Receive until the condition holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                await self._receive()

    async def answer(self, stream_id: int) -> tuple[dict[str, str], bytes]:
        """Headers, with those of the trailers, and body of a response that has ended."""
        await self.until(lambda: bool(self.of(stream_id, StreamEnded)))
        headers: dict[str, str] = {}
        received = [event.headers for event in self.of(stream_id, ResponseReceived)]
        received += [event.headers for event in self.of(stream_id, TrailersReceived)]
        for lines in received:
            headers |= {bytes(name).decode(): bytes(value).decode() for name, value in lines}
        return headers, b"".join(event.data for event in self.of(stream_id, DataReceived))

    async def reset(self, stream_id: int) -> int:
        """The error code with which the server reset the stream."""
        await self.until(lambda: bool(self.of(stream_id, StreamReset)))
        return int(self.of(stream_id, StreamReset)[0].error_code)

    async def settled(self) -> None:
        """Return when the server's settings are known."""
        await self.until(lambda: any(isinstance(event, RemoteSettingsChanged) for event in self.events))

    @property
    def goodbyes(self) -> list[ConnectionTerminated]:
        """The GOAWAYs received."""
        return [event for event in self.events if isinstance(event, ConnectionTerminated)]

    async def goodbye(self) -> ConnectionTerminated:
        """The GOAWAY, once the server has closed."""
        await self.until(lambda: self.closed)
        (event,) = self.goodbyes
        return event

    def of(self, stream_id: int, kind: type[Kind]) -> list[Kind]:
        """The events of this kind that were received on this stream."""
        return [event for event in self.events if isinstance(event, kind) and event.stream_id == stream_id]  # type: ignore[attr-defined]  # all that are asked for have one

    async def _receive(self) -> None:
        try:
            data = await self._reader.read(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, ConnectionTerminated):
                self.h2.state_machine.state = ConnectionState.CLIENT_OPEN  # h2 takes a GOAWAY for the end of everything
            if isinstance(event, DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.writer.write(self.h2.data_to_send())
