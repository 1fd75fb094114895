"""The doors of one clew: opened one by one, shut all at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from clew.grpc_ports import GrpcServer
from clew.ports import HttpServer
from clew.settings import Settings
from clew.udp_ports import UdpServer
from collector.receivers.jaeger_udp import JaegerUdpReceiver
from storage.settings import CLOSED


class Doors:
    """Servers on the addresses of the settings. One whose address is `off` is left out.

    shown: the name of each open door and its address, as the ready line has them. Every `open_` raises OSError, with
    the settings to blame, when an address cannot be had.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._grace_s = settings.collector.drain_timeout_ns / 1e9
        self._closings: list[Callable[[], Awaitable[None]]] = []
        self._grpc: list[GrpcServer] = []
        self._udp: dict[str, UdpServer] = {}
        self.shown: dict[str, str] = {}

    @property
    def udp(self) -> Mapping[str, UdpServer]:
        """The UDP servers by door."""
        return self._udp

    @asynccontextmanager
    async def closed_at_the_end(self) -> AsyncIterator[None]:
        """Shuts, at the end, the doors that were opened inside, all at once.

        One after another each would have the whole grace, while those not yet shut went on taking spans.
        """
        before = len(self._closings)
        try:
            yield
        finally:
            closings, self._closings[before:] = self._closings[before:], []
            await asyncio.gather(*(close() for close in closings))

    def open_http(self, door: str, address: str, app: ASGIApp) -> None:
        """Serve an ASGI application."""
        if address == CLOSED:
            return
        with self._explained(address):
            server = HttpServer(app, address, int(self._grace_s))
        self.shown[door] = server.address
        self._closings.append(server.stop)

    async def open_grpc(self, door: str, address: str, server: GrpcServer) -> None:
        """Serve gRPC services."""
        if address == CLOSED:
            return
        with self._explained(address):
            await server.start(address)
        self.shown[door] = server.address
        self._grpc.append(server)
        self._closings.append(lambda: server.stop(self._grace_s))

    async def open_udp(self, door: str, address: str, receiver: JaegerUdpReceiver) -> None:
        """Hand each packet to the receiver, which is drained when the door is shut."""
        if address == CLOSED:
            return
        server = UdpServer(receiver.receive)
        with self._explained(address):
            await server.start(address)
        self.shown[door] = server.address
        self._udp[door] = server

        async def close() -> None:
            server.stop()
            await receiver.drain(self._grace_s)

        self._closings.append(close)

    async def serving(self, *, is_serving: bool) -> None:
        """Answer health checks on gRPC doors so from now on."""
        await asyncio.gather(*(server.serving(is_serving=is_serving) for server in self._grpc))

    async def stopping(self) -> None:
        """Answer health checks on gRPC doors with NOT_SERVING from now on."""
        await asyncio.gather(*(server.stopping() for server in self._grpc))

    @contextlib.contextmanager
    def _explained(self, address: str) -> Iterator[None]:
        """An address that cannot be had is blamed on the settings that name it."""
        try:
            yield
        except OSError as error:
            names = " and ".join(self._settings.variables_of(address))
            raise OSError(f"{error}; give {names} another address, or {CLOSED} to leave that door closed") from error
