import asyncio
import socket

import pytest

from clew.udp_ports import UdpServer


async def test_packets_are_handed_on_as_they_came() -> None:
    packets: asyncio.Queue[bytes] = asyncio.Queue()
    server = UdpServer(packets.put_nowait)
    await server.start("127.0.0.1:0")
    host, _, port = server.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in (b"one", b"", b"x" * 65_000):
            sender.sendto(packet, (host, int(port)))
            assert await asyncio.wait_for(packets.get(), 30) == packet
    server.stop()


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
async def test_a_port_of_every_address_takes_both_families(family: socket.AddressFamily, host: str) -> None:
    packets: asyncio.Queue[bytes] = asyncio.Queue()
    server = UdpServer(packets.put_nowait)
    await server.start(":0")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"one", (host, int(server.address.rpartition(":")[2])))
            assert await asyncio.wait_for(packets.get(), 30) == b"one"
    finally:
        server.stop()


async def test_start_says_which_address_cannot_be_had() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen on {address} for UDP"):
            await UdpServer(lambda packet: None).start(address)
