"""Zipkin reference, section 2.2: IP parsing."""

import pytest

from collector.decode.zipkin_addresses import address_of


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("255.255.255.255", "255.255.255.255"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:1.2.3.4", "1.2.3.4"),
        ("::0000:1.2.3.4", "1.2.3.4"),
        ("::1.2.3.4", "1.2.3.4"),
    ],
)
def test_address_is_ipv4_when_plain_or_embedded(text: str, canonical: str) -> None:
    assert address_of(text) == (4, canonical)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("::1", "::1"),
        ("::2", "::2"),
        ("::", "::"),
        ("2001:db8::c001", "2001:db8::c001"),
        ("2001:DB8:0:0:0:0:0:C001", "2001:db8::c001"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("::ffff:102:304", "::ffff:102:304"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_address_is_compressed_lower_case_when_ipv6(text: str, canonical: str) -> None:
    assert address_of(text) == (6, canonical)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        " 1.2.3.4",
        "１.2.3.4",
        "1.2.3.4:80",
        "::ffef:1.2.3.4",
        "2001:db8::1.2.3.4",
        "fe80::1%eth0",
        ":::",
        "1:2:3:4:5:6:7:8:9",
        "1" * 100_000,
    ],
)
def test_address_is_ignored_when_it_is_none(text: str) -> None:
    assert address_of(text) is None
