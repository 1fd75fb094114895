"""Zipkin's reading of IP addresses in text (zipkin2.Endpoint.Builder.parseIp)."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal

Address = tuple[Literal[4, 6], str]
"""The family and the canonical text."""

_LONGEST_LITERAL = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
_EMBEDDED_IPV4 = re.compile(r"::(?:(?:ffff|0000):)?([0-9.]+)", re.IGNORECASE)


def address_of(text: str) -> Address | None:
    """The address that `text` is, or None when it is none: Zipkin ignores those silently.

    `::1.2.3.4`, `::ffff:1.2.3.4` and `::0000:1.2.3.4` are IPv4; every other IPv6 is compressed lower-case.
    Zone ids, leading zeros in IPv4 and IPv4 at the end of any other IPv6 are no address, as in Zipkin.
    """
    return _parse(text) if len(text) <= _LONGEST_LITERAL else None


@lru_cache(maxsize=4096)  # a mesh has few addresses and `ipaddress` needs 2-6 us for one
def _parse(text: str) -> Address | None:
    embedded = _EMBEDDED_IPV4.fullmatch(text)
    try:
        if embedded and "." in text:
            return 4, str(IPv4Address(embedded.group(1)))
        if ":" not in text:
            return 4, str(IPv4Address(text))
        if "." in text or "%" in text:
            return None
        return 6, _compressed(IPv6Address(text))
    except AddressValueError:
        return None


def _compressed(address: IPv6Address) -> str:
    # Python 3.13 began to write mapped addresses with dots; Zipkin keeps the hex that was sent.
    mapped = address.ipv4_mapped
    return f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}" if mapped else str(address)


_EMBEDDING = (bytes(12), bytes(10) + b"\xff\xff")


def address_of_bytes(raw: bytes) -> Address | None:
    """The address of 4 or 16 bytes; None of any other number. IPv4 in IPv6 is IPv4; `::1` and alike are not that."""
    if len(raw) == 4:
        return 4, str(IPv4Address(raw))
    if len(raw) != 16:
        return None
    if raw[:12] in _EMBEDDING and (raw[10] or any(raw[12:14])):
        return 4, str(IPv4Address(raw[12:]))
    return 6, _compressed(IPv6Address(raw))
