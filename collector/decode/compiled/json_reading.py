"""JSON as it is usually written, a token at a time: bytes with their position, and the end of what may be read.

What is not usual, or not JSON, is ODD: escapes, fractions, null, names that nobody asked for. A position that is given
back is past the white space that follows.
"""

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import inlined, int64, uint8
from collector.decode.compiled.text import (
    CLOSE,
    CLOSE_LIST,
    COLON,
    COMMA,
    IS_ODD,
    QUOTE,
    Bytes,
    Texts,
    character_size,
    equal,
    literal,
)

ODD = -1
"""A position that says so."""

_MAX_DIGITS = 16
_IS_SPACE = np.zeros(256, dtype=np.uint8)
_IS_SPACE[[9, 10, 13, 32]] = 1
_ENDS_NUMBER = _IS_SPACE.copy()
_ENDS_NUMBER[[COMMA, CLOSE, CLOSE_LIST]] = 1
_TRUE, _FALSE = literal("true"), literal("false")


def names_of(names: tuple[str, ...]) -> Texts:
    """Names for `which` and `next_member`; not for use within a loop."""
    return Texts(literal("".join(names)), np.cumsum([0, *(len(name.encode()) for name in names)], dtype=np.int32))


@inlined
def past(p: Bytes, at: int, end: int) -> int:
    """The position of what follows white space."""
    while at < end and _IS_SPACE[p[at]]:
        at += 1
    return at


@inlined
def item(p: Bytes, at: int, end: int, mark: int) -> int:
    """The position of what follows this mark, and white space on both its sides; ODD: it is not there."""
    at = past(p, at, end)
    if at >= end or p[at] != mark:
        return ODD
    return past(p, at + 1, end)


@inlined
def text_end(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """Where the text ends whose opening quote is at `at` (it begins after that), and what follows it; or ODD twice."""
    if at >= end or p[at] != QUOTE:
        return ODD, ODD
    at += 1
    while at < end:
        byte = p[at]
        if not IS_ODD[byte]:
            at += 1
        elif byte == QUOTE:
            return at, past(p, at + 1, end)
        elif byte < 0x80:
            return ODD, ODD
        else:
            size = character_size(p, at, end)
            if size == 0:
                return ODD, ODD
            at += size
    return ODD, ODD


@inlined
def whole_number(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """The number at `at` and what follows it, or ODD."""
    begin = at
    value = int64(0)
    while at < end and 48 <= p[at] <= 57 and at - begin < _MAX_DIGITS:
        value = value * 10 + int64(p[at] - uint8(48))
        at += 1
    if at == begin or at >= end or not _ENDS_NUMBER[p[at]] or (p[begin] == 48 and at - begin > 1):
        return 0, ODD
    return value, past(p, at, end)


@inlined
def flag(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """Whether there is true at `at`, and what follows it; ODD: neither true nor false."""
    if at + len(_TRUE) < end and equal(p, at, at + len(_TRUE), _TRUE):
        return 1, past(p, at + len(_TRUE), end)
    if at + len(_FALSE) < end and equal(p, at, at + len(_FALSE), _FALSE):
        return 0, past(p, at + len(_FALSE), end)
    return 0, ODD


@inlined
def which(p: Bytes, start: int, stop: int, names: Bytes, ends: npt.NDArray[np.int32]) -> int:
    """Which of these names it is, or ODD."""
    for i in range(len(ends) - 1):
        if equal(p, start, stop, names[ends[i] : ends[i + 1]]):
            return i
    return ODD


@inlined
def next_member(p: Bytes, at: int, end: int, names: Bytes, ends: npt.NDArray[np.int32]) -> tuple[int, int]:
    """Which member begins at `at`, and where its value does; ODD: none that is known."""
    start = at + 1
    stop, at = text_end(p, at, end)
    if at == ODD:
        return ODD, ODD
    member = which(p, start, stop, names, ends)
    at = item(p, at, end, COLON)
    return member, at if member != ODD else ODD


@inlined
def after_member(p: Bytes, at: int, end: int) -> tuple[bool, int]:
    """After a value: whether the object ends here, and what follows the brace or the comma; or ODD."""
    if at == ODD or at >= end:
        return True, ODD
    if p[at] == CLOSE:
        return True, past(p, at + 1, end)
    return False, item(p, at, end, COMMA)


@inlined
def compare(p: Bytes, start: int, stop: int, other_start: int, other_stop: int) -> int:
    """Below 0 when the first text comes first; bytes of UTF-8 are in the order of their characters."""
    size, other = stop - start, other_stop - other_start
    for i in range(min(size, other)):
        difference = int64(p[start + i]) - int64(p[other_start + i])
        if difference != 0:
            return difference
    return size - other
