"""Posts of Zipkin v2 JSON -> columns: what `zipkin_columns` does span by span in Python, for many small posts at once.

The loop takes what Envoy and Zipkin's reporters write. A post with anything else in it is ODD, wholly, and the caller
decodes it in Python: escapes in texts, null, fractions, unknown or repeated members, IPv6, names with letters beyond
ASCII, and all that Zipkin refuses. Texts without escapes go into the columns' JSON as they came.
"""

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import compiled, inlined
from collector.decode.compiled.json_reading import (
    ODD,
    after_member,
    compare,
    flag,
    item,
    names_of,
    next_member,
    past,
    text_end,
    whole_number,
)
from collector.decode.compiled.text import CLOSE, CLOSE_LIST, COLON, COMMA, OPEN, OPEN_LIST, Bytes, crc_of, literal
from collector.decode.compiled.zipkin_rows import (
    LAST_EXACT_US,
    LOCAL,
    LOCAL_PORT,
    NOTES,
    REMOTE,
    REMOTE_PORT,
    TAGS,
    Places,
    PostedRows,
    Scratch,
    put_span,
)

LEAST_SPAN_BYTES = len('{"id":"1","traceId":"1"}')
TAGS_MAX, NOTES_MAX = 128, 64
"""Tags and annotations of one span; one with more is ODD, for sorting them here would take long."""

_LAST_PORT = 65535
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
_IPV6 = 2
_NOTE_MEMBERS = ("timestamp", "value")
_SPAN_NAMES, _SPAN_NAME_ENDS = names_of(_SPAN_MEMBERS)
_ENDPOINT_NAMES, _ENDPOINT_NAME_ENDS = names_of(_ENDPOINT_MEMBERS)
_NOTE_NAMES, _NOTE_NAME_ENDS = names_of(_NOTE_MEMBERS)
_EVENT_EQUALS = literal("event=")


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
        at = item(p, at, end, OPEN_LIST)
        if at != ODD and at < end and p[at] == CLOSE_LIST:
            at = past(p, at + 1, end)
        else:
            while at != ODD:
                at = _span(p, at, end, scratch)
                if at == ODD or not put_span(p, scratch, rows, row, crc_event):
                    at = ODD
                    break
                row += 1
                if at < end and p[at] == CLOSE_LIST:
                    at = past(p, at + 1, end)
                    break
                at = item(p, at, end, COMMA)
        if at != end:
            row = first
            spans_of[post] = ODD
        else:
            spans_of[post] = row - first
    return row


@inlined
def _span(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the span at `at` into `span`; what follows it, or ODD."""
    span.texts[:] = 0
    span.numbers[:] = 0
    seen = 0
    at = item(p, at, end, OPEN)
    done = False
    while not done and at != ODD:
        member, at = next_member(p, at, end, _SPAN_NAMES, _SPAN_NAME_ENDS)
        if at == ODD or seen >> member & 1:
            return ODD
        seen |= 1 << member
        if member <= _LAST_TEXT:
            span.texts[member, 0] = at + 1
            stop, at = text_end(p, at, end)
            span.texts[member, 1] = stop
        elif member <= _LAST_NUMBER:
            value, at = whole_number(p, at, end)
            span.numbers[member - _FIRST_NUMBER] = value
        elif member <= _LAST_FLAG:
            value, at = flag(p, at, end)
            span.numbers[member - _FIRST_NUMBER] = value
        elif member == _LOCAL_ENDPOINT:
            at = _endpoint(p, at, end, span, LOCAL, LOCAL_PORT)
        elif member == _REMOTE_ENDPOINT:
            at = _endpoint(p, at, end, span, REMOTE, REMOTE_PORT)
        elif member == _TAGS_MEMBER:
            at = _tags(p, at, end, span)
        else:
            at = _notes(p, at, end, span)
        done, at = after_member(p, at, end)
    return at


@compiled
def _endpoint(p: Bytes, at: int, end: int, span: Scratch, texts: int, port: int) -> int:
    seen = 0
    at = item(p, at, end, OPEN)
    if at != ODD and at < end and p[at] == CLOSE:
        return past(p, at + 1, end)
    done = False
    while not done and at != ODD:
        member, at = next_member(p, at, end, _ENDPOINT_NAMES, _ENDPOINT_NAME_ENDS)
        if at == ODD or seen >> member & 1:
            return ODD
        seen |= 1 << member
        if member <= _IPV6:
            start = at + 1
            stop, at = text_end(p, at, end)
            if member == _IPV6 and stop > start:
                return ODD
            if member != _IPV6:
                span.texts[texts + member, 0], span.texts[texts + member, 1] = start, stop
        else:
            value, at = whole_number(p, at, end)
            if value > _LAST_PORT:
                return ODD
            span.numbers[port] = value
        done, at = after_member(p, at, end)
    return at


@compiled
def _tags(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the tags, sorted by key as Zipkin sorts them."""
    at = item(p, at, end, OPEN)
    if at != ODD and at < end and p[at] == CLOSE:
        return past(p, at + 1, end)
    count = 0
    tags = span.tags
    done = False
    while not done and at != ODD:
        key_start = at + 1
        key_end, at = text_end(p, at, end)
        if at == ODD or count == TAGS_MAX:
            return ODD
        at = item(p, at, end, COLON)
        if at == ODD:
            return ODD
        start = at + 1
        stop, at = text_end(p, at, end)
        place = count
        while place > 0:
            order = compare(p, tags[place - 1, 0], tags[place - 1, 1], key_start, key_end)
            if order == 0:
                return ODD
            if order < 0:
                break
            for column in range(4):
                tags[place, column] = tags[place - 1, column]
            place -= 1
        tags[place, 0], tags[place, 1], tags[place, 2], tags[place, 3] = key_start, key_end, start, stop
        count += 1
        done, at = after_member(p, at, end)
    span.numbers[TAGS] = count
    return at


@compiled
def _notes(p: Bytes, at: int, end: int, span: Scratch) -> int:
    """Read the annotations, sorted and without repeats."""
    at = item(p, at, end, OPEN_LIST)
    if at != ODD and at < end and p[at] == CLOSE_LIST:
        return past(p, at + 1, end)
    count = 0
    notes = span.notes
    while at != ODD:
        seen = 0
        micros = start = stop = 0
        at = item(p, at, end, OPEN)
        done = False
        while not done and at != ODD:
            member, at = next_member(p, at, end, _NOTE_NAMES, _NOTE_NAME_ENDS)
            if at == ODD or seen >> member & 1:
                return ODD
            seen |= 1 << member
            if member == 0:
                micros, at = whole_number(p, at, end)
            else:
                start = at + 1
                stop, at = text_end(p, at, end)
            done, at = after_member(p, at, end)
        if at == ODD or seen != 3 or count == NOTES_MAX or micros > LAST_EXACT_US:
            return ODD
        place = count
        repeated = False
        while place > 0 and notes[place - 1, 0] >= micros:
            if notes[place - 1, 0] == micros:
                order = compare(p, notes[place - 1, 1], notes[place - 1, 2], start, stop)
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
        if at < end and p[at] == CLOSE_LIST:
            span.numbers[NOTES] = count
            return past(p, at + 1, end)
        at = item(p, at, end, COMMA)
    return ODD
