"""The addresses that a Jaeger span tells in OpenTracing's tags: its process's `ip`, and `peer.*`.

They go where Zipkin's endpoints are kept, so that Zipkin shows them and a host is known by its address.
"""

from ipaddress import IPv4Address

from collector.decode.zipkin_addresses import address_of
from storage.attributes import Attributes, AttributeValue
from storage.batch import SpanColumns


def set_local_address(columns: SpanColumns, row: int, ip: AttributeValue) -> None:
    """`ip`: text, or the 32 bits of an IPv4 address, as the older SDKs send it."""
    _set_address(columns, row, "local", ip)


def set_peer_address(columns: SpanColumns, row: int, tags: Attributes) -> None:
    """By `peer.ipv4` (text or number), `peer.ipv6` and `peer.port`."""
    _set_address(columns, row, "remote", tags.get("peer.ipv4"))
    _set_address(columns, row, "remote", tags.get("peer.ipv6"))
    port = _port(tags.get("peer.port"))
    if port:
        columns.set_sparse("remote_port", row, port)


def _set_address(columns: SpanColumns, row: int, side: str, value: AttributeValue) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(IPv4Address(value & 0xFFFF_FFFF))
    address = address_of(value) if value and isinstance(value, str) else None
    if address is not None:
        columns.set_sparse(f"{side}_ipv{address[0]}", row, address[1])


def _port(value: AttributeValue) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 < value <= 65535 else 0
