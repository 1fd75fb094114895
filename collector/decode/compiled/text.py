"""Text and numbers as JSON, with the CRC-32 of their plain form; UTF-8 checked as strictly as Python does.

Every function that writes puts bytes into `out` from position `o` on and returns the position after them; callers
provide the room. INVALID instead of a position: the text is not UTF-8.
"""

from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import compiled, float64, inlined, int64, uint8, uint32, uint64

Bytes = npt.NDArray[np.uint8]

QUOTE, COMMA, COLON, EQUALS = (ord(mark) for mark in '",:=')
OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = (ord(mark) for mark in "{}[]")

INVALID = -1
ESCAPED_MAX = 6
"""Bytes that one byte of text becomes at most: a control character is \\u001f in JSON."""


def _crc_tables() -> npt.NDArray[np.uint32]:
    # The first is zlib's own, read off the CRC of one byte: both ends inverted, and the state's upper 24 bits shifted
    # in. Each of the others goes one zero byte further than the one before.
    tables = np.empty((8, 256), dtype=np.uint32)
    tables[0] = [crc32(bytes([value ^ 0xFF])) ^ 0xFF000000 for value in range(256)]
    for before, table in pairwise(tables):
        table[:] = tables[0][before & 0xFF] ^ before >> 8
    return tables


_STEPS = _crc_tables()
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8).copy()
_BASE64 = np.frombuffer(f"{ascii_uppercase}{ascii_lowercase}{digits}+/".encode(), dtype=np.uint8).copy()
_TENS = 10 ** np.arange(0, 17, dtype=np.int64)
_EXACT_TENS = 10.0 ** np.arange(0, 20)
_FIVES = np.array([5**exponent for exponent in range(22)], dtype=np.uint64)
_SHORT_ESCAPES = np.zeros(128, dtype=np.uint8)
for _raw, _letter in ((8, "b"), (9, "t"), (10, "n"), (12, "f"), (13, "r"), (34, '"'), (92, "\\")):
    _SHORT_ESCAPES[_raw] = ord(_letter)
IS_ODD = np.zeros(256, dtype=np.uint8)
"""Bytes of text that are more than themselves: what JSON escapes, and parts of characters beyond ASCII."""
IS_ODD[:32] = IS_ODD[128:] = IS_ODD[[34, 92]] = 1


class Texts(NamedTuple):
    """A column of texts: all of them after one another, and where each ends; `ends[0]` is 0."""

    data: Bytes
    ends: npt.NDArray[np.int32]


def literal(text: str) -> Bytes:
    """A text for `put_literal` and `equal`; not for use within a loop."""
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()


@inlined
def equal(p: Bytes, start: int, end: int, text: Bytes) -> bool:
    """Whether these bytes are `text`."""
    if end - start != len(text):
        return False
    for i in range(len(text)):  # noqa: SIM110  # numba has no generators
        if p[start + i] != text[i]:
            return False
    return True


@inlined
def crc_of(crc: int, p: Bytes, start: int, end: int) -> int:
    """The CRC-32 `crc` continued over these bytes, as zlib.crc32 gives and takes it. Eight bytes at a step."""
    state = uint32(crc) ^ uint32(0xFFFFFFFF)
    text = p[start:end]
    eights = len(text) >> 3
    for eight in range(eights):
        i = eight << 3
        low = state ^ (
            uint32(text[i])
            | uint32(text[i + 1]) << uint32(8)
            | uint32(text[i + 2]) << uint32(16)
            | uint32(text[i + 3]) << uint32(24)
        )
        state = (
            _STEPS[7, low & uint32(0xFF)]
            ^ _STEPS[6, (low >> uint32(8)) & uint32(0xFF)]
            ^ _STEPS[5, (low >> uint32(16)) & uint32(0xFF)]
            ^ _STEPS[4, low >> uint32(24)]
            ^ _STEPS[3, text[i + 4]]
            ^ _STEPS[2, text[i + 5]]
            ^ _STEPS[1, text[i + 6]]
            ^ _STEPS[0, text[i + 7]]
        )
    for i in range(eights << 3, len(text)):
        state = _STEPS[0, (state ^ text[i]) & uint32(0xFF)] ^ (state >> uint32(8))
    return int64(state ^ uint32(0xFFFFFFFF))


@inlined
def crc_of_byte(crc: int, byte: int) -> int:
    """As crc_of, of one byte."""
    state = uint32(crc) ^ uint32(0xFFFFFFFF)
    state = _STEPS[0, (state ^ uint32(byte)) & uint32(0xFF)] ^ (state >> uint32(8))
    return int64(state ^ uint32(0xFFFFFFFF))


@compiled
def character_size(p: Bytes, i: int, end: int) -> int:
    """How many bytes the character at `i` has; 0 when it is none."""
    first = p[i]
    if first < 0x80:
        return 1
    if first < 0xC2 or first > 0xF4:
        return 0
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if i + size > end:
        return 0
    second = p[i + 1]
    lowest, highest = 0x80, 0xBF
    if first == 0xE0:
        lowest = 0xA0
    elif first == 0xED:
        highest = 0x9F
    elif first == 0xF0:
        lowest = 0x90
    elif first == 0xF4:
        highest = 0x8F
    if second < lowest or second > highest:
        return 0
    for j in range(i + 2, i + size):
        if p[j] & 0xC0 != 0x80:
            return 0
    return size


@inlined
def is_text(p: Bytes, start: int, end: int) -> bool:
    """Whether these bytes are UTF-8."""
    i = start
    while i < end:
        size = character_size(p, i, end)
        if size == 0:
            return False
        i += size
    return True


@inlined
def put_bytes(p: Bytes, start: int, end: int, out: Bytes, o: int) -> int:
    """The bytes as they are."""
    size = end - start
    source, target = p[start:end], out[o : o + size]
    for i in range(size):
        target[i] = source[i]
    return o + size


@inlined
def put_json_text(p: Bytes, start: int, end: int, out: Bytes, o: int) -> int:
    """The text as a JSON string, as json.dumps writes it without ensure_ascii. INVALID: it is not UTF-8."""
    size = end - start
    source, target = p[start:end], out[o : o + size + 2]
    target[0] = 34
    # Most texts are plain, and go byte for byte.
    for i in range(size):
        byte = source[i]
        if IS_ODD[byte]:
            return _put_odd_text(p, start + i, end, out, o + 1 + i)
        target[i + 1] = byte
    target[size + 1] = 34
    return o + size + 2


@compiled
def _put_odd_text(p: Bytes, i: int, end: int, out: Bytes, o: int) -> int:
    """What is left of a JSON string."""
    while i < end:
        byte = p[i]
        if byte >= 0x80:
            size = character_size(p, i, end)
            if size == 0:
                return INVALID
            o = put_bytes(p, i, i + size, out, o)
            i += size
            continue
        if not IS_ODD[byte]:
            out[o] = byte
            o += 1
        elif _SHORT_ESCAPES[byte]:
            out[o] = 92
            out[o + 1] = _SHORT_ESCAPES[byte]
            o += 2
        else:
            out[o] = 92
            out[o + 1] = 117
            out[o + 2] = 48
            out[o + 3] = 48
            out[o + 4] = _HEX[byte >> 4]
            out[o + 5] = _HEX[byte & 15]
            o += 6
        i += 1
    out[o] = 34
    return o + 1


@inlined
def put_integer(value: int, out: Bytes, o: int) -> int:
    """An int64 in decimal."""
    left = uint64(value)
    if value < 0:
        out[o] = 45
        o += 1
        left = uint64(0) - left
    first = o
    while True:
        out[o] = uint8(left % uint64(10)) + uint8(48)
        o += 1
        left //= uint64(10)
        if left == 0:
            break
    i, j = first, o - 1
    while i < j:
        out[i], out[j] = out[j], out[i]
        i += 1
        j -= 1
    return o


@compiled
def put_double(value: float, out: Bytes, o: int) -> int:
    """A double from 0.0001 to below 10^15 as Python writes it: the fewest digits that give it back (1.5, 200.0).

    INVALID: it is another one, which is written with an exponent, or hardly ever.
    """
    size = abs(value)
    if not (1e-4 <= size < 1e15):
        return INVALID
    digits, decimals = _few_digits(size)
    if digits < 0:
        digits, decimals = _many_digits(size)
        if digits < 0:
            return INVALID
    if value < 0:
        out[o] = 45
        o += 1
    whole, fraction = int64(0), digits
    if size >= 1:
        power = _TENS[decimals]
        whole, fraction = digits // power, digits % power
    o = put_integer(whole, out, o)
    out[o] = 46
    for place in range(decimals, 0, -1):
        out[o + place] = uint8(fraction % 10) + uint8(48)
        fraction //= 10
    return o + 1 + decimals


@compiled
def _few_digits(size: float) -> tuple[int, int]:
    """The digits and how many of them are decimals, if 15 are enough; else INVALID.

    Whether k decimals are enough shows in whether they give the number back: both the digits, below 2^53, and the
    power of ten are exact, so one division rounds once.
    """
    for decimals in range(1, len(_EXACT_TENS)):
        power = _EXACT_TENS[decimals]
        scaled = size * power
        if scaled >= 1e15:
            break
        digits = int64(np.rint(scaled))
        if digits / power == size:
            return digits, decimals
    return INVALID, 0


@compiled
def _many_digits(size: float) -> tuple[int, int]:
    """The same with 16 digits or 17, computed exactly; INVALID for a power of two, whose neighbours lie unevenly.

    size = m * 2^q, and with k decimals it is m * 5^k / 2^shift: the nearest integer gives it back when that is less
    than half a unit of m away. In this range shift is from 1 to 46, and m * 5^k has 102 bits.
    """
    bits = float64(size).view(uint64)
    m = bits & uint64(2**52 - 1)
    if m == 0:
        return INVALID, 0
    m |= uint64(2**52)
    q = int64(bits >> uint64(52)) - 1075
    exponent = -4
    while exponent < 14 and size >= 10.0 ** float64(exponent + 1):
        exponent += 1
    for count in (16, 17):
        decimals = count - 1 - exponent
        five = _FIVES[decimals]
        high, low = _product(m, five)
        shift = uint64(-(q + decimals))
        rest = low & ((uint64(1) << shift) - uint64(1))
        digits = low >> shift | high << (uint64(64) - shift)
        half = uint64(1) << (shift - uint64(1))
        if rest > half or (rest == half and digits & uint64(1)):
            digits += uint64(1)
            rest = (uint64(1) << shift) - rest
        double = rest << uint64(1)
        if double < five or (double == five and not m & uint64(1)):
            return int64(digits), decimals
    return INVALID, 0


@inlined
def _product(a: int, b: int) -> tuple[int, int]:
    """The upper and the lower half of a product of two uint64."""
    mask, half = uint64(0xFFFFFFFF), uint64(32)
    low = (a & mask) * (b & mask)
    first, second = (a >> half) * (b & mask), (a & mask) * (b >> half)
    middle = (low >> half) + (first & mask) + (second & mask)
    high = (a >> half) * (b >> half) + (first >> half) + (second >> half) + (middle >> half)
    return high, (low & mask) | middle << half


@compiled
def put_base64(p: Bytes, start: int, end: int, out: Bytes, o: int) -> int:
    """The bytes in base64, padded."""
    for i in range(start, end, 3):
        some = int64(p[i]) << 16
        if i + 1 < end:
            some |= int64(p[i + 1]) << 8
        if i + 2 < end:
            some |= int64(p[i + 2])
        out[o] = _BASE64[some >> 18]
        out[o + 1] = _BASE64[some >> 12 & 63]
        out[o + 2] = _BASE64[some >> 6 & 63] if i + 1 < end else 61
        out[o + 3] = _BASE64[some & 63] if i + 2 < end else 61
        o += 4
    return o


@compiled
def put_hex(p: Bytes, start: int, size: int, wanted: int, out: Bytes, o: int) -> int:
    """`size` bytes in hex; `wanted` zero bytes when there are none."""
    for i in range(wanted):
        byte = p[start + i] if size else uint8(0)
        out[o] = _HEX[byte >> 4]
        out[o + 1] = _HEX[byte & 15]
        o += 2
    return o


@inlined
def put_literal(text: Bytes, out: Bytes, o: int) -> int:
    """All of `text`."""
    return put_bytes(text, 0, len(text), out, o)
