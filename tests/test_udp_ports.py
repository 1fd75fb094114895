import asyncio
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from clew.udp_ports import KernelDrops, UdpServer, dropped_packets


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


HEAD = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops\n"
LINE = " 1: 00000000:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 {inode} 2 0000000000 {drops}\n"


def test_dropped_packets_are_read_from_either_of_the_kernels_tables(tmp_path: Path) -> None:
    (tmp_path / "udp").write_text(HEAD + LINE.format(inode=70, drops=3))
    (tmp_path / "udp6").write_text(HEAD + LINE.format(inode=71, drops=4) + LINE.format(inode=72, drops=5))
    assert [dropped_packets(inode, str(tmp_path)) for inode in (70, 71, 72, 73)] == [3, 4, 5, 0]


def test_dropped_packets_are_0_where_the_kernel_has_no_tables(tmp_path: Path) -> None:
    assert dropped_packets(70, str(tmp_path)) == 0


async def test_packets_that_the_kernel_drops_are_counted_by_door() -> None:
    server = UdpServer(lambda packet: None)
    await server.start("127.0.0.1:0")
    registry = CollectorRegistry()
    registry.register(KernelDrops({"a_door": server}))
    host, _, port = server.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # The loop does not run here, so nobody reads, and no buffer is larger than this.
        for _ in range(1000):
            sender.sendto(bytes(60_000), (host, int(port)))
    (line,) = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("clew_udp")]
    server.stop()
    assert line.startswith('clew_udp_packets_dropped_total{door="a_door"}')
    assert float(line.split()[-1]) > 0
