"""Ports for servers that must be told theirs before they start."""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

_FIRST = 10_000
_HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on at this moment.

    Below those that the system hands out: until the server listens, no connection of another test and no server that
    takes any port may get them.
    """
    below = int(_HANDED_OUT.read_text().split()[0])
    with ExitStack() as held:
        ports = (port for port in random.sample(range(_FIRST, below), below - _FIRST) if _is_free(port, held))
        return [next(ports) for _ in range(count)]


def free_port() -> int:
    """One such port."""
    [port] = free_ports(1)
    return port


def _is_free(port: int, held: ExitStack) -> bool:
    probe = held.enter_context(socket.socket())
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
