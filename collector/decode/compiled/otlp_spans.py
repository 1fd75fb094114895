"""OTLP spans -> columns: what `otlp_rows` does span by span in Python, for the spans of a whole request.

What the loop cannot do itself it leaves to its caller in two ways. A value that is a map, nothing, a double beyond
`put_double`, text that is not UTF-8, or an array with such a value is HARD: its place is noted, and when the caller has
rendered all of them, `fill` runs again. A span that must be refused or mended (ids, a key that is not UTF-8, a broken
message) makes the request ODD: the caller decodes it in Python.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import compiled, float64, inlined, int32, int64, uint32, uint64
from collector.decode.compiled.otlp_outline import Places
from collector.decode.compiled.protobuf import BROKEN, BYTES, FIXED32, FIXED64, VARINT, field
from collector.decode.compiled.text import (
    CLOSE,
    CLOSE_LIST,
    COLON,
    COMMA,
    EQUALS,
    INVALID,
    OPEN,
    OPEN_LIST,
    QUOTE,
    Bytes,
    Texts,
    crc_of,
    crc_of_byte,
    equal,
    is_text,
    literal,
    put_base64,
    put_bytes,
    put_double,
    put_hex,
    put_integer,
    put_json_text,
    put_literal,
)

DONE, ODD, MORE_HARD = 0, 1, 2

_ARRAY_MAX_BYTES = 2**16
"""What is longer is for Python to judge."""
_MAX_TIME_NS = 2**63 - 1
_SEPARATOR, _ELSEWHERE = 0x1F, 0x1E
_CLIENT, _PRODUCER = 3, 4


class SpanRows(NamedTuple):
    """What `fill` fills, a row a span; `dropped`: attributes, events, links. Empty texts are absent ones."""

    trace_id: npt.NDArray[np.uint8]
    span_id: npt.NDArray[np.uint64]
    parent_span_id: npt.NDArray[np.uint64]
    start_ns: npt.NDArray[np.int64]
    duration_ns: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]
    status_code: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint32]
    dropped: npt.NDArray[np.uint32]
    tokens: npt.NDArray[np.uint32]
    token_ends: npt.NDArray[np.int32]
    name: Texts
    attributes: Texts
    attribute_keys: Texts
    events: Texts
    links: Texts
    status_message: Texts
    trace_state: Texts
    remote_service: Texts


class Scopes(NamedTuple):
    """What the scope of each group adds to its spans: tokens, and keys with what follows a span's own keys for them."""

    tokens: npt.NDArray[np.uint32]
    token_ends: npt.NDArray[np.int32]
    keys: Texts
    key_ends: npt.NDArray[np.int32]


class NotedKeys(NamedTuple):
    """Room for the keys of one span's events, links and scope: their bytes, and where each begins and ends."""

    data: Bytes
    places: Places


class Hard(NamedTuple):
    """The HARD KeyValues in the order met: their places, to fill in; of those rendered already member, key, token."""

    places: Places
    members: Texts
    keys: Texts
    tokens: npt.NDArray[np.uint32]


_TIME = literal('{"time_ns":')
_NAME = literal(',"name":')
_TRACE_ID = literal('{"trace_id":"')
_SPAN_ID = literal('","span_id":"')
_TRACE_STATE = literal(',"trace_state":')
_FLAGS = literal(',"flags":')
_ATTRIBUTES = literal(',"attributes":{')
_DROPPED = literal(',"dropped":')
_BYTES_TAG, _BYTES_END = literal('{"$b":"'), literal('"}')
_TRUE, _FALSE = literal("true"), literal("false")
_EVENT_EQUALS = literal("event=")
_PEER_SERVICE = literal("peer.service")

_BYTES = [number << 3 | BYTES for number in range(17)]
(_F1, _F2, _F3, _F4, _F5) = _BYTES[1:6]
_F9, _F11, _F13, _F15 = _BYTES[9], _BYTES[11], _BYTES[13], _BYTES[15]
_KIND = 6 << 3 | VARINT
_START, _END = 7 << 3 | FIXED64, 8 << 3 | FIXED64
_SPAN_DROPPED_ATTRIBUTES, _SPAN_DROPPED_EVENTS, _SPAN_DROPPED_LINKS = (number << 3 | VARINT for number in (10, 12, 14))
_SPAN_FLAGS = 16 << 3 | FIXED32
_STATUS_CODE = 3 << 3 | VARINT
_EVENT_TIME, _EVENT_DROPPED = 1 << 3 | FIXED64, 4 << 3 | VARINT
_LINK_DROPPED, _LINK_FLAGS = 5 << 3 | VARINT, 6 << 3 | FIXED32
_STRING_VALUE, _BOOL_VALUE, _INT_VALUE, _DOUBLE_VALUE = (
    1 << 3 | BYTES,
    2 << 3 | VARINT,
    3 << 3 | VARINT,
    4 << 3 | FIXED64,
)
_ARRAY_VALUE, _BYTES_VALUE = 5 << 3 | BYTES, 7 << 3 | BYTES

# The counters that every function here advances, in one array.
_TOKENS, _HARD, _KEYS_NOTED, _PEER_START, _PEER_END = range(5)
COUNTERS = 5

LEAST_EVENT_BYTES, LEAST_LINK_BYTES = 9, 28
"""An event with a time, a link with both ids. Less makes a request ODD: empty ones would outgrow the room for them."""
KEYS_MAX = 256
"""Keys of events, links and scope that one span may have before it is ODD: they are sorted by insertion."""


@compiled
def fill(
    p: Bytes, spans: Places, groups: Places, scopes: Scopes, hard: Hard, noted: NotedKeys, count: Places, rows: SpanRows
) -> tuple[int, int]:
    """DONE, ODD or MORE_HARD, and how many HARD values were met. count: COUNTERS numbers."""
    count[:] = 0
    crc_event = crc_of(0, _EVENT_EQUALS, 0, len(_EVENT_EQUALS))
    group = 0
    for row in range(len(spans)):
        while row == groups[group, 8]:
            group += 1
        if not _span(p, spans[row, 0], spans[row, 1], row, group, scopes, hard, noted, rows, count, crc_event):
            return ODD, 0
    return MORE_HARD if count[_HARD] > len(hard.tokens) else DONE, count[_HARD]


@inlined
def _big_endian(p: Bytes, at: int) -> int:
    value = uint64(0)
    for i in range(8):
        value = (value << uint64(8)) | uint64(p[at + i])
    return value


@inlined
def _span(
    p: Bytes,
    at: int,
    end: int,
    row: int,
    group: int,
    scopes: Scopes,
    hard: Hard,
    noted: NotedKeys,
    rows: SpanRows,
    count: Places,
    crc_event: int,
) -> bool:
    trace_id = span_id = -1
    parent = uint64(0)
    name_start = name_end = state_start = state_end = message_start = message_end = 0
    kind = code = start_ns = end_ns = 0
    flags = int64(0)
    rows.dropped[row] = 0
    attributes, keys = rows.attributes.data, rows.attribute_keys.data
    o, k = int64(rows.attributes.ends[row]), int64(rows.attribute_keys.ends[row])
    e, n = int64(rows.events.ends[row]), int64(rows.links.ends[row])
    first_event, first_link = e, n
    attributes[o] = OPEN
    o += 1
    first_attribute = o
    count[_KEYS_NOTED] = 0
    count[_PEER_START] = count[_PEER_END] = 0
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return False
        if tag == _F9:
            if o > first_attribute:
                attributes[o] = COMMA
                o += 1
            o, k = _attribute(p, start, stop, attributes, o, hard, rows.tokens, count, keys, k, noted)
            if o == INVALID:
                return False
        elif tag == _F1:
            if stop - start != 16:
                return False
            trace_id = start
        elif tag == _F2:
            if stop - start != 8:
                return False
            span_id = start
        elif tag == _F3:
            state_start, state_end = start, stop
        elif tag == _F4:
            if stop - start != 8 and stop != start:
                return False
            parent = _big_endian(p, start) if stop > start else uint64(0)
        elif tag == _F5:
            name_start, name_end = start, stop
        elif tag == _KIND:
            kind = int64(int32(start))
        elif tag == _START:
            start_ns = start
        elif tag == _END:
            end_ns = start
        elif tag == _F11:
            rows.events.data[e] = OPEN_LIST if e == first_event else COMMA
            e = _event(p, start, stop, rows.events.data, e + 1, hard, rows.tokens, count, noted, crc_event)
            if e == INVALID:
                return False
        elif tag == _F13:
            rows.links.data[n] = OPEN_LIST if n == first_link else COMMA
            n = _link(p, start, stop, rows.links.data, n + 1, hard, rows.tokens, count, noted)
            if n == INVALID:
                return False
        elif tag == _F15:
            code = message_start = message_end = 0
            inner = start
            while inner < stop:
                status_tag, first, last, inner = field(p, inner, stop)
                if inner == BROKEN:
                    return False
                if status_tag == _F2:
                    message_start, message_end = first, last
                elif status_tag == _STATUS_CODE:
                    code = int64(int32(first))
        elif tag == _SPAN_FLAGS:
            flags = start
        elif tag == _SPAN_DROPPED_ATTRIBUTES:
            rows.dropped[row, 0] = uint32(start)
        elif tag == _SPAN_DROPPED_EVENTS:
            rows.dropped[row, 1] = uint32(start)
        elif tag == _SPAN_DROPPED_LINKS:
            rows.dropped[row, 2] = uint32(start)
        elif tag >> 3 <= 16:
            return False
    if trace_id < 0 or span_id < 0:
        return False
    high, low, number = _big_endian(p, trace_id), _big_endian(p, trace_id + 8), _big_endian(p, span_id)
    if (high | low) == 0 or number == 0:
        return False
    put_bytes(p, trace_id, trace_id + 16, rows.trace_id, 16 * row)
    rows.span_id[row] = number
    rows.parent_span_id[row] = parent
    rows.kind[row] = kind if 0 <= kind <= 5 else 0
    rows.status_code[row] = code if 0 <= code <= 2 else 0
    rows.flags[row] = uint32(flags)
    # A time beyond int64 came as a negative number.
    rows.start_ns[row] = start_ns if start_ns >= 0 else _MAX_TIME_NS
    rows.duration_ns[row] = (end_ns if end_ns >= 0 else _MAX_TIME_NS) - rows.start_ns[row]

    attributes[o] = CLOSE
    rows.attributes.ends[row + 1] = o + 1
    if o > first_attribute:
        keys[k] = _SEPARATOR
        k += 1
    k = _keys_elsewhere(scopes, group, noted, count, keys, k)
    if k == INVALID:
        return False
    rows.attribute_keys.ends[row + 1] = k
    if e > first_event:
        rows.events.data[e] = CLOSE_LIST
        e += 1
    rows.events.ends[row + 1] = e
    if n > first_link:
        rows.links.data[n] = CLOSE_LIST
        n += 1
    rows.links.ends[row + 1] = n
    t = count[_TOKENS]
    for i in range(scopes.token_ends[group], scopes.token_ends[group + 1]):
        rows.tokens[t] = scopes.tokens[i]
        t += 1
    count[_TOKENS] = t
    rows.token_ends[row + 1] = t
    if kind != _CLIENT and kind != _PRODUCER:
        count[_PEER_END] = count[_PEER_START]
    return (
        _text(p, name_start, name_end, rows.name, row)
        and _text(p, message_start, message_end, rows.status_message, row)
        and _text(p, state_start, state_end, rows.trace_state, row)
        and _text(p, count[_PEER_START], count[_PEER_END], rows.remote_service, row)
    )


@inlined
def _text(p: Bytes, start: int, end: int, column: Texts, row: int) -> bool:
    column.ends[row + 1] = put_bytes(p, start, end, column.data, int64(column.ends[row]))
    return is_text(p, start, end)


@inlined
def _attribute(
    p: Bytes,
    start: int,
    end: int,
    out: Bytes,
    o: int,
    hard: Hard,
    tokens: npt.NDArray[np.uint32],
    count: Places,
    keys: Bytes,
    k: int,
    noted: NotedKeys,
) -> tuple[int, int]:
    """Put the member of one KeyValue, its token, and its key: into `keys` at `k`, or, when k < 0, among those noted."""
    tag, key_start, key_end, at = field(p, start, end)
    if at == BROKEN:
        return INVALID, k
    easy = False
    kind = first = last = 0
    if tag == _F1:
        outer, value_start, value_end, at = field(p, at, end)
        if at == end and outer == _F2 and value_end > value_start:
            kind, first, last, at = field(p, value_start, value_end)
            easy = at == value_end
    begun = o
    if easy:
        o = put_json_text(p, key_start, key_end, out, o)
        if o == INVALID:
            return INVALID, k
        out[o] = COLON
        o += 1
        value = o
        crc = crc_of_byte(crc_of(0, p, key_start, key_end), EQUALS)
        is_peer = k >= 0 and equal(p, key_start, key_end, _PEER_SERVICE)
        if is_peer:
            count[_PEER_START] = count[_PEER_END] = 0
        if kind == _ARRAY_VALUE:
            o = _array(p, first, last, out, o)
        elif kind == _BYTES_VALUE:
            o = put_literal(_BYTES_END, out, put_base64(p, first, last, out, put_literal(_BYTES_TAG, out, o)))
        else:
            o = _scalar(p, kind, first, last, out, o)
        if o == INVALID:
            easy = False
        elif kind == _STRING_VALUE:
            crc = crc_of(crc, p, first, last)
            if is_peer:
                count[_PEER_START], count[_PEER_END] = first, last
        elif kind == _BYTES_VALUE:
            crc = crc_of(crc, out, value + len(_BYTES_TAG), o - len(_BYTES_END))
        else:
            # A search compares 200, though the type wants 200.0 on disk.
            whole = kind == _DOUBLE_VALUE and out[o - 1] == 48 and out[o - 2] == 46
            crc = crc_of(crc, out, value, o - 2 if whole else o)
    if easy:
        tokens[count[_TOKENS]] = crc
        count[_TOKENS] += 1
        if k >= 0:
            keys[k] = _SEPARATOR
            return o, put_bytes(p, key_start, key_end, keys, k + 1)
        return o if _note_key(noted, count, p, key_start, key_end) else INVALID, k
    o, number = begun, count[_HARD]
    count[_HARD] = number + 1
    if number < len(hard.places):
        hard.places[number, 0], hard.places[number, 1] = start, end
    if number < len(hard.tokens):
        o = put_bytes(hard.members.data, hard.members.ends[number], hard.members.ends[number + 1], out, o)
        tokens[count[_TOKENS]] = hard.tokens[number]
        count[_TOKENS] += 1
        if k >= 0:
            keys[k] = _SEPARATOR
            k = put_bytes(hard.keys.data, hard.keys.ends[number], hard.keys.ends[number + 1], keys, k + 1)
        elif not _note_key(noted, count, hard.keys.data, hard.keys.ends[number], hard.keys.ends[number + 1]):
            return INVALID, k
    return o, k


@inlined
def _scalar(p: Bytes, kind: int, first: int, last: int, out: Bytes, o: int) -> int:
    """Put one text, integer, bool or short double; INVALID: it is something else, or text that is not UTF-8."""
    if kind == _STRING_VALUE:
        return put_json_text(p, first, last, out, o)
    if kind == _INT_VALUE:
        return put_integer(first, out, o)
    if kind == _BOOL_VALUE:
        return put_literal(_TRUE if first else _FALSE, out, o)
    return put_double(int64(first).view(float64), out, o) if kind == _DOUBLE_VALUE else INVALID


@compiled
def _array(p: Bytes, at: int, end: int, out: Bytes, o: int) -> int:
    """Put an array of scalars; INVALID: there is something else in it, or too much."""
    if end - at > _ARRAY_MAX_BYTES:
        return INVALID
    out[o] = OPEN_LIST
    first_item = o = o + 1
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN or tag != _F1 or start == stop:
            return INVALID
        kind, first, last, after = field(p, start, stop)
        if after != stop:
            return INVALID
        if o > first_item:
            out[o] = COMMA
            o += 1
        o = _scalar(p, kind, first, last, out, o)
        if o == INVALID:
            return INVALID
    out[o] = CLOSE_LIST
    return o + 1


@compiled
def _attributes(
    p: Bytes,
    at: int,
    end: int,
    wanted: int,
    out: Bytes,
    o: int,
    hard: Hard,
    tokens: npt.NDArray[np.uint32],
    count: Places,
    noted: NotedKeys,
) -> int:
    """The `attributes` member of an event or a link, if there is any."""
    begun = False
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if tag == wanted:
            if begun:
                out[o] = COMMA
                o += 1
            else:
                o = put_literal(_ATTRIBUTES, out, o)
                begun = True
            o, _ = _attribute(p, start, stop, out, o, hard, tokens, count, out, -1, noted)
            if o == INVALID:
                return INVALID
    if begun:
        out[o] = CLOSE
        o += 1
    return o


@compiled
def _event(
    p: Bytes,
    at: int,
    end: int,
    out: Bytes,
    o: int,
    hard: Hard,
    tokens: npt.NDArray[np.uint32],
    count: Places,
    noted: NotedKeys,
    crc_event: int,
) -> int:
    if end - at < LEAST_EVENT_BYTES:
        return INVALID
    begin = at
    time_ns = name_start = name_end = dropped = 0
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return INVALID
        if tag == _EVENT_TIME:
            time_ns = start
        elif tag == _F2:
            name_start, name_end = start, stop
        elif tag == _EVENT_DROPPED:
            dropped = int64(uint32(start))
        elif tag != _F3 and tag >> 3 <= 4:
            return INVALID
    o = put_literal(_TIME, out, o)
    o = put_integer(time_ns if time_ns >= 0 else _MAX_TIME_NS, out, o)
    o = put_literal(_NAME, out, o)
    o = put_json_text(p, name_start, name_end, out, o)
    if o == INVALID:
        return INVALID
    tokens[count[_TOKENS]] = crc_of(crc_event, p, name_start, name_end)
    count[_TOKENS] += 1
    o = _attributes(p, begin, end, _F3, out, o, hard, tokens, count, noted)
    return _end_of_attached(dropped, out, o)


@compiled
def _link(
    p: Bytes,
    at: int,
    end: int,
    out: Bytes,
    o: int,
    hard: Hard,
    tokens: npt.NDArray[np.uint32],
    count: Places,
    noted: NotedKeys,
) -> int:
    if end - at < LEAST_LINK_BYTES:
        return INVALID
    begin = at
    trace_start = trace_end = span_start = span_end = state_start = state_end = flags = dropped = 0
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return INVALID
        if tag == _F1:
            trace_start, trace_end = start, stop
        elif tag == _F2:
            span_start, span_end = start, stop
        elif tag == _F3:
            state_start, state_end = start, stop
        elif tag == _LINK_DROPPED:
            dropped = int64(uint32(start))
        elif tag == _LINK_FLAGS:
            flags = start
        elif tag != _F4 and tag >> 3 <= 6:
            return INVALID
    trace_size, span_size = trace_end - trace_start, span_end - span_start
    if (trace_size != 0 and trace_size != 16) or (span_size != 0 and span_size != 8):
        return INVALID
    o = put_literal(_TRACE_ID, out, o)
    o = put_hex(p, trace_start, trace_size, 16, out, o)
    o = put_literal(_SPAN_ID, out, o)
    o = put_hex(p, span_start, span_size, 8, out, o)
    out[o] = QUOTE
    o += 1
    if state_end > state_start:
        o = put_literal(_TRACE_STATE, out, o)
        o = put_json_text(p, state_start, state_end, out, o)
        if o == INVALID:
            return INVALID
    if flags:
        o = put_literal(_FLAGS, out, o)
        o = put_integer(flags, out, o)
    o = _attributes(p, begin, end, _F4, out, o, hard, tokens, count, noted)
    return _end_of_attached(dropped, out, o)


@inlined
def _end_of_attached(dropped: int, out: Bytes, o: int) -> int:
    if o == INVALID:
        return INVALID
    if dropped:
        o = put_literal(_DROPPED, out, o)
        o = put_integer(dropped, out, o)
    out[o] = CLOSE
    return o + 1


@inlined
def _note_key(noted: NotedKeys, count: Places, text: Bytes, start: int, end: int) -> bool:
    """Note a key for `_keys_elsewhere`; False when there is no room."""
    number = count[_KEYS_NOTED]
    if number == len(noted.places):
        return False
    first = noted.places[number - 1, 1] if number else 0
    noted.places[number, 0] = first
    noted.places[number, 1] = put_bytes(text, start, end, noted.data, first)
    count[_KEYS_NOTED] = number + 1
    return True


@compiled
def _keys_elsewhere(scopes: Scopes, group: int, noted: NotedKeys, count: Places, out: Bytes, o: int) -> int:
    """Put the distinct keys of the scope and those noted, sorted: what `attributes.keys_elsewhere` writes."""
    for i in range(scopes.key_ends[group], scopes.key_ends[group + 1]):
        if not _note_key(noted, count, scopes.keys.data, scopes.keys.ends[i], scopes.keys.ends[i + 1]):
            return INVALID
    number, places = count[_KEYS_NOTED], noted.places
    if number == 0:
        return o
    # They are few: an insertion sort, of bytes, which is the order of their code points.
    for i in range(1, number):
        j = i
        while j > 0 and _compare(noted, j - 1, j) > 0:
            for column in range(2):
                places[j - 1, column], places[j, column] = places[j, column], places[j - 1, column]
            j -= 1
    out[o] = _ELSEWHERE
    o += 1
    for i in range(number):
        if i == 0 or _compare(noted, i - 1, i) != 0:
            out[o] = _SEPARATOR
            o = put_bytes(noted.data, places[i, 0], places[i, 1], out, o + 1)
    out[o] = _SEPARATOR
    return o + 1


@compiled
def _compare(noted: NotedKeys, i: int, j: int) -> int:
    first, second = noted.places[i, 0], noted.places[j, 0]
    size, other = noted.places[i, 1] - first, noted.places[j, 1] - second
    for offset in range(min(size, other)):
        difference = int64(noted.data[first + offset]) - int64(noted.data[second + offset])
        if difference != 0:
            return difference
    return size - other
