import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import CannotInflate, Overloaded, PayloadTooLarge
from collector.inflate import PIECE_BYTES, Coding, Inflater

TEXT = b"the spans of a mesh " * 1000


def inflate(coding: Coding, *chunks: bytes, limit_bytes: int = 1 << 30) -> bytes:
    inflater = Inflater(coding, limit_bytes, lambda size: None)
    for chunk in chunks:
        for _ in inflater.feed(chunk):
            pass
    return inflater.finish()


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (Coding.GZIP, gzip.compress(TEXT)),
        (Coding.DEFLATE, zlib.compress(TEXT)),
        (Coding.DEFLATE, raw_deflate(TEXT)),
        (Coding.GZIP, gzip.compress(TEXT[:7000]) + gzip.compress(TEXT[7000:])),
        (Coding.GZIP, gzip.compress(TEXT) + bytes(512)),
    ],
    ids=["gzip", "zlib", "raw deflate", "two gzip members", "padded gzip"],
)
def test_inflater_gives_the_plain_body_however_it_is_cut(coding: Coding, body: bytes) -> None:
    assert inflate(coding, body) == TEXT
    assert inflate(coding, *(body[at : at + 1] for at in range(len(body)))) == TEXT


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 300), st.sampled_from(list(Coding)))
def test_inflater_undoes_compression_of_any_bytes(data: bytes, step: int, coding: Coding) -> None:
    body = gzip.compress(data) if coding is Coding.GZIP else zlib.compress(data)
    assert inflate(coding, *(body[at : at + step] for at in range(0, len(body), step))) == data


@pytest.mark.parametrize("size_bytes", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_inflater_gives_all_of_a_body_of_several_pieces(size_bytes: int) -> None:
    assert inflate(Coding.GZIP, gzip.compress(bytes(size_bytes))) == bytes(size_bytes)


@pytest.mark.parametrize("coding", list(Coding))
def test_inflater_gives_nothing_for_no_body(coding: Coding) -> None:
    assert inflate(coding) == b""


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (Coding.GZIP, gzip.compress(TEXT)[:-1]),
        (Coding.GZIP, gzip.compress(TEXT)[:5]),
        (Coding.DEFLATE, zlib.compress(TEXT)[:-1]),
        (Coding.DEFLATE, b"\x78"),
    ],
    ids=["gzip without its end", "half a gzip header", "zlib without its end", "half a zlib header"],
)
def test_inflater_refuses_a_body_that_is_cut_short(coding: Coding, body: bytes) -> None:
    with pytest.raises(CannotInflate, match="cut short"):
        inflate(coding, body)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (Coding.GZIP, b"hello, this is plain"),
        (Coding.GZIP, b"\x01\x02\x03\x04"),
        (Coding.GZIP, gzip.compress(TEXT) + b"trailing words"),
        (Coding.GZIP, gzip.compress(TEXT)[:-8] + bytes(8)),
        (Coding.DEFLATE, b"\xff\xff\xff\xff"),
    ],
    ids=["text", "bytes", "words behind", "wrong checksum", "no deflate"],
)
def test_inflater_refuses_what_is_not_compressed_as_said(coding: Coding, body: bytes) -> None:
    with pytest.raises(CannotInflate, match="expected a"):
        inflate(coding, body)


def test_inflater_never_holds_a_bomb() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match="at most 4194304 bytes when inflated"):
            inflate(Coding.GZIP, bomb, limit_bytes=4 << 20)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 << 20


def test_inflater_stops_when_there_is_no_room_for_the_next_piece() -> None:
    granted: list[int] = []

    def reserve(size_bytes: int) -> None:
        if sum(granted) + size_bytes > 2 * PIECE_BYTES:
            raise Overloaded("full", 1)
        granted.append(size_bytes)

    inflater = Inflater(Coding.GZIP, 1 << 30, reserve)
    with pytest.raises(Overloaded):
        list(inflater.feed(gzip.compress(bytes(10 * PIECE_BYTES))))
    assert granted == [PIECE_BYTES, PIECE_BYTES]
