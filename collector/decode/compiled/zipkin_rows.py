"""A Zipkin span that was read -> its row in columns, by the rules of `zipkin_columns`."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import inlined, int64, uint8, uint64
from collector.decode.compiled.json_reading import names_of, which
from collector.decode.compiled.text import (
    CLOSE,
    CLOSE_LIST,
    COMMA,
    EQUALS,
    OPEN,
    OPEN_LIST,
    QUOTE,
    Bytes,
    Texts,
    crc_of,
    crc_of_byte,
    equal,
    literal,
    put_bytes,
    put_integer,
    put_literal,
)

Places = npt.NDArray[np.int64]

TRACE_ID, ID, PARENT_ID, NAME, KIND = range(5)
LOCAL, REMOTE = 5, 7
"""Where an endpoint's texts begin: its service and its IPv4 address."""
TEXTS = 9
TIMESTAMP, DURATION, DEBUG, SHARED, LOCAL_PORT, REMOTE_PORT, TAGS, NOTES = range(8)
NUMBERS = 8
LAST_EXACT_US = (2**63 - 1) // 1000
IPV4 = 1
"""After the place of an endpoint's service."""

_SEPARATOR = 0x1F
_KIND_CLIENT, _STATUS_ERROR = 3, 2
_KIND_BYTES, _KIND_ENDS = names_of(("", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
"""As storage.span.SpanKind numbers them."""
_ERROR = literal("error")
_TIME, _EVENT_NAME = literal('{"time_ns":'), literal(',"name":"')
_EVENT_END, _VALUE_BEGIN = literal('"}'), literal('":"')
_NIBBLE = np.full(256, 16, dtype=np.uint8)
for _value, _digit in enumerate(b"0123456789abcdef"):
    _NIBBLE[_digit] = _value


class PostedRows(NamedTuple):
    """What `put_span` fills, a row a span. Times, ports and parents of 0 and empty texts are absent ones."""

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
def put_span(p: Bytes, span: Scratch, rows: PostedRows, row: int, crc_event: int) -> bool:
    """Write the span; False when it is ODD."""
    texts, numbers = span.texts, span.numbers
    start, stop = _place(texts, TRACE_ID)
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
    start, stop = _place(texts, ID)
    number, good = _hex(p, start, stop)
    if not 0 < stop - start <= 16 or not good or number == 0:
        return False
    rows.span_id[row] = number
    start, stop = _place(texts, PARENT_ID)
    parent, good = _hex(p, start, stop)
    if stop - start > 16 or not good or (start > 0 and start == stop):
        return False
    rows.parent_span_id[row] = parent if parent != number else uint64(0)

    kind = 0
    start, stop = _place(texts, KIND)
    if start > 0:
        kind = which(p, start, stop, _KIND_BYTES, _KIND_ENDS)
        if kind < 2:
            return False
    rows.kind[row] = kind
    rows.debug[row] = numbers[DEBUG]
    rows.shared[row] = numbers[SHARED] if kind != _KIND_CLIENT else 0
    if numbers[TIMESTAMP] > LAST_EXACT_US or numbers[DURATION] > LAST_EXACT_US:
        return False
    rows.start_ns[row] = numbers[TIMESTAMP] * 1000
    rows.duration_ns[row] = numbers[DURATION] * 1000
    rows.local_port[row], rows.remote_port[row] = numbers[LOCAL_PORT], numbers[REMOTE_PORT]

    t = int64(rows.token_ends[row])
    o = int64(rows.attributes.ends[row])
    k = int64(rows.attribute_keys.ends[row])
    out, keys = rows.attributes.data, rows.attribute_keys.data
    out[o] = OPEN
    o += 1
    status = 0
    for i in range(numbers[TAGS]):
        key_start, key_end = _place(span.tags, i)
        start, stop = span.tags[i, 2], span.tags[i, 3]
        if i > 0:
            out[o] = COMMA
            o += 1
        out[o] = QUOTE
        o = put_bytes(p, key_start, key_end, out, o + 1)
        o = put_literal(_VALUE_BEGIN, out, o)
        o = put_bytes(p, start, stop, out, o)
        out[o] = QUOTE
        o += 1
        keys[k] = _SEPARATOR
        k = put_bytes(p, key_start, key_end, keys, k + 1)
        crc = crc_of_byte(crc_of(0, p, key_start, key_end), EQUALS)
        rows.tokens[t] = crc_of(crc, p, start, stop)
        t += 1
        if equal(p, key_start, key_end, _ERROR):
            status = _STATUS_ERROR
    if numbers[TAGS] > 0:
        keys[k] = _SEPARATOR
        k += 1
    out[o] = CLOSE
    rows.attributes.ends[row + 1] = o + 1
    rows.attribute_keys.ends[row + 1] = k
    rows.status_code[row] = status

    e = int64(rows.events.ends[row])
    out = rows.events.data
    for i in range(numbers[NOTES]):
        micros, start, stop = span.notes[i, 0], span.notes[i, 1], span.notes[i, 2]
        out[e] = COMMA if i > 0 else OPEN_LIST
        e = put_literal(_TIME, out, e + 1)
        e = put_integer(micros * 1000, out, e)
        e = put_literal(_EVENT_NAME, out, e)
        e = put_bytes(p, start, stop, out, e)
        e = put_literal(_EVENT_END, out, e)
        rows.tokens[t] = crc_of(crc_event, p, start, stop)
        t += 1
    if numbers[NOTES] > 0:
        out[e] = CLOSE_LIST
        e += 1
    rows.events.ends[row + 1] = e
    rows.token_ends[row + 1] = t

    return (
        _put_lower(p, texts, NAME, rows.name, row)
        and _put_lower(p, texts, LOCAL, rows.service, row)
        and _put_lower(p, texts, REMOTE, rows.remote_service, row)
        and _put_ipv4(p, texts, LOCAL + IPV4, rows.local_ipv4, row)
        and _put_ipv4(p, texts, REMOTE + IPV4, rows.remote_ipv4, row)
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
