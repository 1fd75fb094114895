"""Posts of Zipkin v2 JSON -> columns: what `zipkin_columns` does span by span in Python, for many small posts at once.

The loop takes what Envoy and Zipkin's reporters write. A post with anything else in it is ODD, wholly, and the caller
decodes it in Python: escapes in texts, null, fractions, unknown or repeated members, IPv6, names with letters beyond
ASCII, and all that Zipkin refuses. Texts without escapes go into the columns' JSON as they came.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import compiled, inlined, int64, uint8, uint64
from collector.decode.compiled.text import (
    IS_ODD,
    Bytes,
    Texts,
    character_size,
    crc_of,
    crc_of_byte,
    put_bytes,
    put_integer,
    put_literal,
)

Places = npt.NDArray[np.int64]

ODD = -1

LEAST_SPAN_BYTES = len('{"id":"1","traceId":"1"}')
TAGS_MAX, NOTES_MAX = 128, 64
"""Tags and annotations of one span; one with more is ODD, for sorting them here would take long."""

_TRACE_ID, _ID, _PARENT_ID, _NAME, _KIND = range(5)
_LOCAL, _REMOTE = 5, 7
"""Where an endpoint's texts begin: its service and its IPv4 address."""
TEXTS = 9
_TIMESTAMP, _DURATION, _DEBUG, _SHARED, _LOCAL_PORT, _REMOTE_PORT, _TAGS, _NOTES = range(8)
NUMBERS = 8

_MAX_DIGITS = 16
_LAST_EXACT_US = (2**63 - 1) // 1000
_LAST_PORT = 65535
_QUOTE, _COMMA, _COLON, _EQUALS = ord('"'), ord(","), ord(":"), ord("=")
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = ord("{"), ord("}"), ord("["), ord("]")
_SEPARATOR = 0x1F
_KIND_CLIENT, _STATUS_ERROR = 3, 2


class PostedRows(NamedTuple):
    """What `read_posts` fills, a row a span. Times, ports and parents of 0 and empty texts are absent ones."""

    trace_id: npt.NDArray[np.uint8]
    span_id: npt.NDArray[np.uint64]
    parent_span_id: npt.NDArray[np.uint64]
    start_ns: npt.NDArray[np.int64]
    duration_ns: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]
    status_code: npt.NDArray[np.uint8]
    debug: npt.NDArray[np.uint8]
    shared: npt.NDArray[np.uint8]
    local_port: npt.NDArray[np.uint16]
    remote_port: npt.NDArray[np.uint16]
    tokens: npt.NDArray[np.uint32]
    token_ends: npt.NDArray[np.int32]
    name: Texts
    service: Texts
    remote_service: Texts
    local_ipv4: Texts
    remote_ipv4: Texts
    attributes: Texts
    attribute_keys: Texts
    events: Texts


class Scratch(NamedTuple):
    """One span while it is read. texts: where each begins and ends; tags: the same of key and value; notes: of each
    annotation its time in microseconds and where its value begins and ends."""

    texts: Places
    numbers: npt.NDArray[np.int64]
    tags: Places
    notes: Places


def _literal(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()


_IS_SPACE = np.zeros(256, dtype=np.uint8)
_IS_SPACE[[9, 10, 13, 32]] = 1
_ENDS_NUMBER = _IS_SPACE.copy()
_ENDS_NUMBER[[_COMMA, _CLOSE, _CLOSE_LIST]] = 1
_NIBBLE = np.full(256, 16, dtype=np.uint8)
for _value, _digit in enumerate(b"0123456789abcdef"):
    _NIBBLE[_digit] = _value

_SPAN_MEMBERS = (
    "traceId",
    "id",
    "parentId",
    "name",
    "kind",
    "timestamp",
    "duration",
    "debug",
    "shared",
    "localEndpoint",
    "remoteEndpoint",
    "tags",
    "annotations",
)
_LAST_TEXT, _LAST_NUMBER, _LAST_FLAG, _LOCAL_ENDPOINT, _REMOTE_ENDPOINT, _TAGS_MEMBER = 4, 6, 8, 9, 10, 11
_FIRST_NUMBER = _LAST_TEXT + 1
_ENDPOINT_MEMBERS = ("serviceName", "ipv4", "ipv6", "port")
_SERVICE, _IPV4, _IPV6 = range(3)
_NOTE_MEMBERS = ("timestamp", "value")
_KINDS = ("", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""As storage.span.SpanKind numbers them."""


def _names(names: tuple[str, ...]) -> Texts:
    texts = [name.encode() for name in names]
    return Texts(_literal("".join(names)), np.cumsum([0, *map(len, texts)], dtype=np.int32))


_SPAN_NAMES, _ENDPOINT_NAMES, _NOTE_NAMES, _KIND_NAMES = map(
    _names, (_SPAN_MEMBERS, _ENDPOINT_MEMBERS, _NOTE_MEMBERS, _KINDS)
)
_SPAN_NAME_BYTES, _SPAN_NAME_ENDS = _SPAN_NAMES
_ENDPOINT_NAME_BYTES, _ENDPOINT_NAME_ENDS = _ENDPOINT_NAMES
_NOTE_NAME_BYTES, _NOTE_NAME_ENDS = _NOTE_NAMES
_KIND_BYTES, _KIND_ENDS = _KIND_NAMES
_TRUE, _FALSE, _ERROR = _literal("true"), _literal("false"), _literal("error")
_TIME, _EVENT_NAME, _EVENT_EQUALS = _literal('{"time_ns":'), _literal(',"name":"'), _literal("event=")
_EVENT_END, _VALUE_BEGIN = _literal('"}'), _literal('":"')


@compiled
def read_posts(p: Bytes, posts: Places, rows: PostedRows, scratch: Scratch, spans_of: npt.NDArray[np.int64]) -> int:
    """Read the posts, whose starts and ends are given, into `rows`; how many rows there are.

    spans_of: how many spans each has, or ODD: then none of its spans is in `rows`.
    """
    row = 0
    crc_event = crc_of(0, _EVENT_EQUALS, 0, len(_EVENT_EQUALS))
    for post in range(len(posts)):
        first = row
        at, end = posts[post, 0], posts[post, 1]
        at = _item(p, at, end, _OPEN_LIST)
        if at != ODD and at < end and p[at] == _CLOSE_LIST:
            at = _past(p, at + 1, end)
        else:
            while at != ODD:
                at = _span(p, at, end, scratch)
                if at == ODD or not _put_span(p, scratch, rows, row, crc_event):
                    at = ODD
                    break
                row += 1
                if at < end and p[at] == _CLOSE_LIST:
                    at = _past(p, at + 1, end)
                    break
                at = _item(p, at, end, _COMMA)
        if at != end:
            row = first
            spans_of[post] = ODD
        else:
            spans_of[post] = row - first
    return row


@inlined
def _past(p: Bytes, at: int, end: int) -> int:
    """The position of what follows white space."""
    while at < end and _IS_SPACE[p[at]]:
        at += 1
    return at


@inlined
def _item(p: Bytes, at: int, end: int, mark: int) -> int:
    """The position of what follows this mark, and white space on both its sides; ODD: it is not there."""
    at = _past(p, at, end)
    if at >= end or p[at] != mark:
        return ODD
    return _past(p, at + 1, end)


@inlined
def _text(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """Where the text ends whose opening quote is at `at` (it begins after that), and what follows it; or ODD twice."""
    if at >= end or p[at] != _QUOTE:
        return ODD, ODD
    at += 1
    while at < end:
        byte = p[at]
        if not IS_ODD[byte]:
            at += 1
        elif byte == _QUOTE:
            return at, _past(p, at + 1, end)
        elif byte < 0x80:
            return ODD, ODD
        else:
            size = character_size(p, at, end)
            if size == 0:
                return ODD, ODD
            at += size
    return ODD, ODD


@inlined
def _whole_number(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """The number at `at` and what follows it, or ODD."""
    begin = at
    value = int64(0)
    while at < end and 48 <= p[at] <= 57 and at - begin < _MAX_DIGITS:
        value = value * 10 + int64(p[at] - uint8(48))
        at += 1
    if at == begin or at >= end or not _ENDS_NUMBER[p[at]] or (p[begin] == 48 and at - begin > 1):
        return 0, ODD
    return value, _past(p, at, end)


@inlined
def _flag(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """Whether there is true at `at`, and what follows it; ODD: neither true nor false."""
    if at + len(_TRUE) < end and _equal(p, at, _TRUE, 0, len(_TRUE)):
        return 1, _past(p, at + len(_TRUE), end)
    if at + len(_FALSE) < end and _equal(p, at, _FALSE, 0, len(_FALSE)):
        return 0, _past(p, at + len(_FALSE), end)
    return 0, ODD


@inlined
def _equal(p: Bytes, at: int, text: Bytes, start: int, stop: int) -> bool:
    for i in range(stop - start):  # noqa: SIM110  # numba has no generators
        if p[at + i] != text[start + i]:
            return False
    return True


@inlined
def _which(p: Bytes, start: int, stop: int, names: Bytes, ends: npt.NDArray[np.int32]) -> int:
    """Which of these names it is, or ODD."""
    for i in range(len(ends) - 1):
        if ends[i + 1] - ends[i] == stop - start and _equal(p, start, names, int64(ends[i]), int64(ends[i + 1])):
            return i
    return ODD


@inlined
def _next_member(p: Bytes, at: int, end: int, names: Bytes, ends: npt.NDArray[np.int32]) -> tuple[int, int]:
    """Which member begins at `at`, and where its value does; ODD: none that is known."""
    start = at + 1
    stop, at = _text(p, at, end)
    if at == ODD:
        return ODD, ODD
    member = _which(p, start, stop, names, ends)
    at = _item(p, at, end, _COLON)
    return member, at if member != ODD else ODD


@inlined
def _after_member(p: Bytes, at: int, end: int) -> tuple[bool, int]:
    """After a value: whether the object ends here, and what follows the brace or the comma; or ODD."""
    if at == ODD or at >= end:
        return True, ODD
    if p[at] == _CLOSE:
        return True, _past(p, at + 1, end)
    return False, _item(p, at, end, _COMMA)


@inlined
def _span(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the span at `at` into `span`; what follows it, or ODD."""
    span.texts[:] = 0
    span.numbers[:] = 0
    seen = 0
    at = _item(p, at, end, _OPEN)
    done = False
    while not done and at != ODD:
        member, at = _next_member(p, at, end, _SPAN_NAME_BYTES, _SPAN_NAME_ENDS)
        if at == ODD or seen >> member & 1:
            return ODD
        seen |= 1 << member
        if member <= _LAST_TEXT:
            span.texts[member, 0] = at + 1
            stop, at = _text(p, at, end)
            span.texts[member, 1] = stop
        elif member <= _LAST_NUMBER:
            value, at = _whole_number(p, at, end)
            span.numbers[member - _FIRST_NUMBER] = value
        elif member <= _LAST_FLAG:
            value, at = _flag(p, at, end)
            span.numbers[member - _FIRST_NUMBER] = value
        elif member == _LOCAL_ENDPOINT:
            at = _endpoint(p, at, end, span, _LOCAL, _LOCAL_PORT)
        elif member == _REMOTE_ENDPOINT:
            at = _endpoint(p, at, end, span, _REMOTE, _REMOTE_PORT)
        elif member == _TAGS_MEMBER:
            at = _tags(p, at, end, span)
        else:
            at = _notes(p, at, end, span)
        done, at = _after_member(p, at, end)
    return at


@compiled
def _endpoint(p: Bytes, at: int, end: int, span: Scratch, texts: int, port: int) -> int:
    seen = 0
    at = _item(p, at, end, _OPEN)
    if at != ODD and at < end and p[at] == _CLOSE:
        return _past(p, at + 1, end)
    done = False
    while not done and at != ODD:
        member, at = _next_member(p, at, end, _ENDPOINT_NAME_BYTES, _ENDPOINT_NAME_ENDS)
        if at == ODD or seen >> member & 1:
            return ODD
        seen |= 1 << member
        if member <= _IPV6:
            start = at + 1
            stop, at = _text(p, at, end)
            if member == _IPV6 and stop > start:
                return ODD
            if member != _IPV6:
                span.texts[texts + member, 0], span.texts[texts + member, 1] = start, stop
        else:
            value, at = _whole_number(p, at, end)
            if value > _LAST_PORT:
                return ODD
            span.numbers[port] = value
        done, at = _after_member(p, at, end)
    return at


@compiled
def _tags(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the tags, sorted by key as Zipkin sorts them."""
    at = _item(p, at, end, _OPEN)
    if at != ODD and at < end and p[at] == _CLOSE:
        return _past(p, at + 1, end)
    count = 0
    tags = span.tags
    done = False
    while not done and at != ODD:
        key_start = at + 1
        key_end, at = _text(p, at, end)
        if at == ODD or count == TAGS_MAX:
            return ODD
        at = _item(p, at, end, _COLON)
        if at == ODD:
            return ODD
        start = at + 1
        stop, at = _text(p, at, end)
        place = count
        while place > 0:
            order = _compare(p, tags[place - 1, 0], tags[place - 1, 1], key_start, key_end)
            if order == 0:
                return ODD
            if order < 0:
                break
            for column in range(4):
                tags[place, column] = tags[place - 1, column]
            place -= 1
        tags[place, 0], tags[place, 1], tags[place, 2], tags[place, 3] = key_start, key_end, start, stop
        count += 1
        done, at = _after_member(p, at, end)
    span.numbers[_TAGS] = count
    return at


@compiled
def _notes(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the annotations, sorted and without repeats."""
    at = _item(p, at, end, _OPEN_LIST)
    if at != ODD and at < end and p[at] == _CLOSE_LIST:
        return _past(p, at + 1, end)
    count = 0
    notes = span.notes
    while at != ODD:
        seen = 0
        micros = start = stop = 0
        at = _item(p, at, end, _OPEN)
        done = False
        while not done and at != ODD:
            member, at = _next_member(p, at, end, _NOTE_NAME_BYTES, _NOTE_NAME_ENDS)
            if at == ODD or seen >> member & 1:
                return ODD
            seen |= 1 << member
            if member == 0:
                micros, at = _whole_number(p, at, end)
            else:
                start = at + 1
                stop, at = _text(p, at, end)
            done, at = _after_member(p, at, end)
        if at == ODD or seen != 3 or count == NOTES_MAX or micros > _LAST_EXACT_US:
            return ODD
        place = count
        repeated = False
        while place > 0 and notes[place - 1, 0] >= micros:
            if notes[place - 1, 0] == micros:
                order = _compare(p, notes[place - 1, 1], notes[place - 1, 2], start, stop)
                repeated = order == 0
                if order <= 0:
                    break
            place -= 1
        if not repeated:
            for later in range(count, place, -1):
                for column in range(3):
                    notes[later, column] = notes[later - 1, column]
            notes[place, 0], notes[place, 1], notes[place, 2] = micros, start, stop
            count += 1
        if at < end and p[at] == _CLOSE_LIST:
            span.numbers[_NOTES] = count
            return _past(p, at + 1, end)
        at = _item(p, at, end, _COMMA)
    return ODD


@inlined
def _compare(p: Bytes, start: int, stop: int, other_start: int, other_stop: int) -> int:
    """Below 0 when the first text comes first; bytes of UTF-8 are in the order of their characters."""
    size, other = stop - start, other_stop - other_start
    for i in range(min(size, other)):
        difference = int64(p[start + i]) - int64(p[other_start + i])
        if difference != 0:
            return difference
    return size - other


@inlined
def _hex(p: Bytes, start: int, stop: int) -> tuple[int, bool]:
    """The number that at most 16 digits are, and whether they are lower-case hex."""
    value = uint64(0)
    good = True
    for i in range(start, stop):
        nibble = _NIBBLE[p[i]]
        good = good and nibble < 16
        value = value << uint64(4) | uint64(nibble)
    return value, good


@inlined
def _place(places: Places, i: int) -> tuple[int, int]:
    return places[i, 0], places[i, 1]


@inlined
def _put_span(p: Bytes, span: Scratch, rows: PostedRows, row: int, crc_event: int) -> bool:
    """Write the span; False when it is ODD."""
    texts, numbers = span.texts, span.numbers
    start, stop = _place(texts, _TRACE_ID)
    if not 0 < stop - start <= 32:
        return False
    middle = max(start, stop - 16)
    high, good = _hex(p, start, middle)
    low, also_good = _hex(p, middle, stop)
    if not (good and also_good) or (high | low) == 0:
        return False
    for i in range(8):
        shift = uint64(56 - 8 * i)
        rows.trace_id[16 * row + i] = uint8(high >> shift)
        rows.trace_id[16 * row + 8 + i] = uint8(low >> shift)
    start, stop = _place(texts, _ID)
    number, good = _hex(p, start, stop)
    if not 0 < stop - start <= 16 or not good or number == 0:
        return False
    rows.span_id[row] = number
    start, stop = _place(texts, _PARENT_ID)
    parent, good = _hex(p, start, stop)
    if stop - start > 16 or not good or (start > 0 and start == stop):
        return False
    rows.parent_span_id[row] = parent if parent != number else uint64(0)

    kind = 0
    start, stop = _place(texts, _KIND)
    if start > 0:
        kind = _which(p, start, stop, _KIND_BYTES, _KIND_ENDS)
        if kind < 2:
            return False
    rows.kind[row] = kind
    rows.debug[row] = numbers[_DEBUG]
    rows.shared[row] = numbers[_SHARED] if kind != _KIND_CLIENT else 0
    if numbers[_TIMESTAMP] > _LAST_EXACT_US or numbers[_DURATION] > _LAST_EXACT_US:
        return False
    rows.start_ns[row] = numbers[_TIMESTAMP] * 1000
    rows.duration_ns[row] = numbers[_DURATION] * 1000
    rows.local_port[row], rows.remote_port[row] = numbers[_LOCAL_PORT], numbers[_REMOTE_PORT]

    t = int64(rows.token_ends[row])
    o = int64(rows.attributes.ends[row])
    k = int64(rows.attribute_keys.ends[row])
    out, keys = rows.attributes.data, rows.attribute_keys.data
    out[o] = _OPEN
    o += 1
    status = 0
    for i in range(numbers[_TAGS]):
        key_start, key_end = _place(span.tags, i)
        start, stop = span.tags[i, 2], span.tags[i, 3]
        if i > 0:
            out[o] = _COMMA
            o += 1
        out[o] = _QUOTE
        o = put_bytes(p, key_start, key_end, out, o + 1)
        o = put_literal(_VALUE_BEGIN, out, o)
        o = put_bytes(p, start, stop, out, o)
        out[o] = _QUOTE
        o += 1
        keys[k] = _SEPARATOR
        k = put_bytes(p, key_start, key_end, keys, k + 1)
        crc = crc_of_byte(crc_of(0, p, key_start, key_end), _EQUALS)
        rows.tokens[t] = crc_of(crc, p, start, stop)
        t += 1
        if key_end - key_start == len(_ERROR) and _equal(p, key_start, _ERROR, 0, len(_ERROR)):
            status = _STATUS_ERROR
    if numbers[_TAGS] > 0:
        keys[k] = _SEPARATOR
        k += 1
    out[o] = _CLOSE
    rows.attributes.ends[row + 1] = o + 1
    rows.attribute_keys.ends[row + 1] = k
    rows.status_code[row] = status

    e = int64(rows.events.ends[row])
    out = rows.events.data
    for i in range(numbers[_NOTES]):
        micros, start, stop = span.notes[i, 0], span.notes[i, 1], span.notes[i, 2]
        out[e] = _COMMA if i > 0 else _OPEN_LIST
        e = put_literal(_TIME, out, e + 1)
        e = put_integer(micros * 1000, out, e)
        e = put_literal(_EVENT_NAME, out, e)
        e = put_bytes(p, start, stop, out, e)
        e = put_literal(_EVENT_END, out, e)
        rows.tokens[t] = crc_of(crc_event, p, start, stop)
        t += 1
    if numbers[_NOTES] > 0:
        out[e] = _CLOSE_LIST
        e += 1
    rows.events.ends[row + 1] = e
    rows.token_ends[row + 1] = t

    return (
        _put_lower(p, texts, _NAME, rows.name, row)
        and _put_lower(p, texts, _LOCAL, rows.service, row)
        and _put_lower(p, texts, _REMOTE, rows.remote_service, row)
        and _put_ipv4(p, texts, _LOCAL + _IPV4, rows.local_ipv4, row)
        and _put_ipv4(p, texts, _REMOTE + _IPV4, rows.remote_ipv4, row)
    )


@inlined
def _put_lower(p: Bytes, texts: Places, text: int, column: Texts, row: int) -> bool:
    """Write a text in lower case; False when it is not ASCII."""
    start, stop = _place(texts, text)
    o = int64(column.ends[row])
    column.ends[row + 1] = o + stop - start
    for i in range(start, stop):
        byte = p[i]
        if byte >= 0x80:
            return False
        column.data[o + i - start] = byte + uint8(32) if 65 <= byte <= 90 else byte
    return True


@inlined
def _put_ipv4(p: Bytes, texts: Places, text: int, column: Texts, row: int) -> bool:
    """Write an address; False when it is none in the usual form."""
    start, stop = _place(texts, text)
    dots = digits = value = 0
    good = True
    for i in range(start, stop):
        byte = p[i]
        if 48 <= byte <= 57:
            good = good and not (digits == 1 and value == 0)
            digits += 1
            value = value * 10 + int64(byte - uint8(48))
            good = good and value <= 255
        else:
            good = good and byte == 46 and digits > 0
            dots += 1
            digits = value = 0
    column.ends[row + 1] = put_bytes(p, start, stop, column.data, int64(column.ends[row]))
    return start == stop or (good and dots == 3 and digits > 0)
