"""A UDP port: a socket with a large buffer, and each packet handed on."""

import asyncio
import socket
from collections.abc import Callable

from clew.ports import shown_address
from storage.settings import host_and_port

RECEIVE_BUFFER_BYTES = 4 * 2**20
"""What is asked of the kernel for packets that came while clew was busy; it gives at most net.core.rmem_max."""

Handle = Callable[[bytes], None]
"""Told of each packet, on the event loop; must not wait."""


class UdpServer:
    """A UDP socket from `start` until `stop`. handle: is told of each packet."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._transport: asyncio.DatagramTransport | None = None
        self.address = ""

    async def start(self, address: str) -> None:
        """Listen on `address` (as storage.settings.HostPort). OSError names an address that cannot be had.

        From then on `self.address` is as the ready line shows it.
        """
        listener = _bound_socket(address)
        self.address = shown_address(*listener.getsockname()[:2])
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Packets(self._handle), sock=listener)

    def stop(self) -> None:
        """Take no more packets."""
        if self._transport is not None:
            self._transport.close()


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._handle(data)


def _bound_socket(address: str) -> socket.socket:
    host, port = host_and_port(address)
    dual = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if dual:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(f"cannot listen on {address} for UDP: {error.strerror or error}") from error
    return bound
