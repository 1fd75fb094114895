"""A UDP port: a socket with a large buffer, each packet handed on, and those counted that the kernel dropped."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from clew.ports import shown_address
from storage.settings import host_and_port

log = logging.getLogger("clew")

RECEIVE_BUFFER_BYTES = 4 * 2**20
"""What is asked of the kernel for packets that came while clew was busy; it gives at most net.core.rmem_max."""

Handle = Callable[[bytes], None]
"""Told of each packet, on the event loop; must not wait."""


class UdpServer:
    """A UDP socket from `start` until `stop`. handle: is told of each packet."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._transport: asyncio.DatagramTransport | None = None
        self._inode = 0
        self.address = ""

    async def start(self, address: str) -> None:
        """Listen on `address` (as storage.settings.HostPort). OSError names an address that cannot be had.

        From then on `self.address` is as the ready line shows it.
        """
        listener = _bound_socket(address)
        self.address = shown_address(*listener.getsockname()[:2])
        self._inode = os.fstat(listener.fileno()).st_ino
        granted = listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux says twice what it gave
        if granted < RECEIVE_BUFFER_BYTES:
            log.info("%s buffers %d KiB of packets; net.core.rmem_max allows no more", self.address, granted // 1024)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Packets(self._handle), sock=listener)

    def stop(self) -> None:
        """Take no more packets."""
        if self._transport is not None:
            self._transport.close()

    def dropped_by_kernel(self) -> int:
        """Packets that found the socket's buffer full; 0 where the kernel does not say (it is not Linux)."""
        return dropped_packets(self._inode)


class KernelDrops(Collector):
    """`clew_udp_packets_dropped_total` of these ports, by door."""

    def __init__(self, servers: Mapping[str, UdpServer]) -> None:
        self._servers = servers

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "clew_udp_packets_dropped", "Packets that the kernel dropped, for clew was too busy.", labels=("door",)
        )
        for door, server in self._servers.items():
            family.add_metric((door,), server.dropped_by_kernel())
        yield family


def dropped_packets(inode: int, tables: str = "/proc/self/net") -> int:
    """The last column of the socket's line in the kernel's tables of UDP sockets."""
    for table in (Path(tables, "udp"), Path(tables, "udp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else ()
        for columns in map(str.split, lines):
            if columns[9] == str(inode):
                return int(columns[12])
    return 0


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
