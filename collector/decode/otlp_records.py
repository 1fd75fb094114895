"""The spans of one export request through the compiled loops: what is done in Python is done once a request."""

import threading
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.otlp_outline import GROUP_COLUMNS, Places, outline
from collector.decode.compiled.otlp_spans import (
    COUNTERS,
    DONE,
    KEYS_MAX,
    MORE_HARD,
    Hard,
    NotedKeys,
    Scopes,
    SpanRows,
    fill,
)
from collector.decode.compiled.text import Texts
from collector.decode.otlp_arrow import Group, records_of
from collector.decode.otlp_attributes import attribute
from collector.decode.otlp_fields import ResourceFields, ScopeFields
from collector.decode.otlp_proto_values import OddAttribute, key_value
from collector.decode.proportions import LARGE_BYTES
from collector.decode.room import numbers, texts
from storage.batch import SpanRecords

_LEAST_SPAN_BYTES = 30
"""A span with its two ids, and the head of its message."""
_LEAST_GROUP_BYTES = 128
"""A span with its scope and resource, in any request that is not made to be costly."""
_SHARED_MAX_BYTES = 64 * 2**20
"""What resources and scopes may grow to when each of their spans holds them."""
_HARD_MAX = 100_000
"""HARD values of one request: each is a Python object for a while."""
_HARD_ROOM = 256
"""HARD values whose places are noted at the first go."""
_KEPT_MAX_BYTES = 2**20
"""Room for payloads of up to this size is kept for the next one."""
_PEER_SERVICE = "peer.service"

ResourceOf = Callable[[bytes, bytes], ResourceFields]
ScopeOf = Callable[[bytes, bytes], ScopeFields]


class OddRequest(Exception):  # not an error: it only needs the careful path
    """Something in it is to be refused, to be mended, or in a form that nobody sends."""


def records(payload: bytes, resource_of: ResourceOf, scope_of: ScopeOf) -> SpanRecords:
    """All spans of the request. OddRequest; besides, what the two functions raise of bytes that are no such message."""
    p = np.frombuffer(payload, dtype=np.uint8)
    spans = np.empty((len(payload) // _LEAST_SPAN_BYTES + 1, 2), dtype=np.int64)
    places = np.empty((len(payload) // _LEAST_GROUP_BYTES + 1, GROUP_COLUMNS), dtype=np.int64)
    found, held = outline(p, spans, places)
    if found < 1:
        raise OddRequest
    spans, places = spans[:found], places[:held]
    if _largest(spans) > LARGE_BYTES or max(_largest(places[:, 0:2]), _largest(places[:, 4:6])) > LARGE_BYTES:
        # Whether it has more parts than any real one is judged there.
        raise OddRequest
    groups = [_group(payload, place, resource_of, scope_of) for place in _with_counts(places)]
    shared_bytes = sum(group.spans * _shared_bytes(group) for group in groups)
    if shared_bytes > _SHARED_MAX_BYTES:
        raise OddRequest
    return records_of(_filled(payload, p, spans, places, groups, shared_bytes), groups, found)


def _largest(places: Places) -> int:
    """The size of the largest of these messages, of which there is at least one."""
    return int((places[:, 1] - places[:, 0]).max())


def _with_counts(places: Places) -> list[list[int]]:
    """The places of each group with the number of its spans instead of the row after the last."""
    rows: list[list[int]] = places.tolist()
    firsts = [0, *(row[-1] for row in rows)]
    return [[*row[:-1], row[-1] - first] for row, first in zip(rows, firsts, strict=False)]


def _group(payload: bytes, place: list[int], resource_of: ResourceOf, scope_of: ScopeOf) -> Group:
    resource, resource_url, scope, scope_url = (payload[place[i] : place[i + 1]] for i in range(0, 8, 2))
    return Group(place[8], resource_of(resource, resource_url), scope_of(scope, scope_url))


def _shared_bytes(group: Group) -> int:
    return len(group.resource.text) + len(group.scope.text or "") + 4 * len(group.scope.tokens)


def _filled(
    payload: bytes, p: npt.NDArray[np.uint8], spans: Places, places: Places, groups: list[Group], shared_bytes: int
) -> SpanRows:
    scopes = _scopes(groups)
    hard = _NO_HARD._replace(places=np.empty((_HARD_ROOM, 2), dtype=np.int64))
    while True:
        room = _room(_Need(len(payload), len(spans), shared_bytes + len(hard.members.data)))
        outcome, met = fill(p, spans, places, scopes, hard, room.noted, room.counters, room.rows)
        if outcome == DONE:
            return room.rows
        if outcome != MORE_HARD or met > _HARD_MAX:
            raise OddRequest
        if met > len(hard.places):
            hard = hard._replace(places=np.empty((met, 2), dtype=np.int64))
        else:
            hard = _hard(payload, hard.places[:met])


def _hard(payload: bytes, places: Places) -> Hard:
    """These HARD values, rendered."""
    try:
        read = [key_value(payload[start:end]) for start, end in places.tolist()]
        found = [attribute(key.decode(), value) for key, value in read]
    except (OddAttribute, UnicodeDecodeError):
        raise OddRequest from None
    if any(key == _PEER_SERVICE for _, _, key in found):
        raise OddRequest
    return Hard(
        places,
        _texts([member.encode() for member, _, _ in found]),
        _texts([key.encode() for _, _, key in found]),
        np.array([token for _, token, _ in found], dtype=np.uint32),
    )


def _scopes(groups: Sequence[Group]) -> Scopes:
    scopes = [group.scope for group in groups]
    return Scopes(
        np.array([token for scope in scopes for token in scope.tokens], dtype=np.uint32),
        _ends([len(scope.tokens) for scope in scopes]),
        _texts([key.encode() for scope in scopes for key in scope.keys]),
        _ends([len(scope.keys) for scope in scopes]),
    )


def _texts(texts: list[bytes]) -> Texts:
    return Texts(np.frombuffer(b"".join(texts), dtype=np.uint8), _ends([len(text) for text in texts]))


def _ends(sizes: list[int]) -> npt.NDArray[np.int32]:
    return np.array([0, *accumulate(sizes)], dtype=np.int32)


_NO_HARD = _hard(b"", np.empty((0, 2), dtype=np.int64))


class _Need(NamedTuple):
    """Bytes of the payload, spans in it, and bytes that are written besides what the payload gives."""

    payload: int
    spans: int
    more: int


class _Room(NamedTuple):
    """What `fill` writes to. It holds the rows of every payload that needs at most `size`, whatever is in it."""

    size: _Need
    rows: SpanRows
    noted: NotedKeys
    counters: npt.NDArray[np.int64]


_kept = threading.local()
"""One room a thread: pages that were touched before cost nothing to touch again."""


def _room(need: _Need) -> _Room:
    kept: _Room | None = getattr(_kept, "room", None)
    if kept and all(size >= needed for size, needed in zip(kept.size, need, strict=True)):
        return kept
    if max(need.payload, need.more) > _KEPT_MAX_BYTES:
        return _new_room(need)
    sizes = zip(need, kept.size if kept else need, strict=True)
    _kept.room = kept = _new_room(_Need(*(max(needed, size) * 5 // 4 for needed, size in sizes)))
    return kept


def _new_room(size: _Need) -> _Room:
    spans = size.spans

    # A byte of text takes six at most, and what stands around a value, an event or a link less than eight times its
    # shortest message (`LEAST_EVENT_BYTES`); the ids of a link are hex, and spelled out where they are absent.
    rendered = 8 * size.payload + 64 * spans + size.more
    rows = SpanRows(
        trace_id=numbers(spans, np.uint8, 16),
        span_id=numbers(spans, np.uint64),
        parent_span_id=numbers(spans, np.uint64),
        start_ns=numbers(spans, np.int64),
        duration_ns=numbers(spans, np.int64),
        kind=numbers(spans, np.uint8),
        status_code=numbers(spans, np.uint8),
        flags=numbers(spans, np.uint32),
        dropped=numbers(spans, np.uint32, 3).reshape(spans, 3),
        tokens=np.empty(size.payload // 2 + size.more // 4 + 1, dtype=np.uint32),
        token_ends=np.zeros(spans + 1, dtype=np.int32),
        name=texts(spans, size.payload),
        attributes=texts(spans, rendered),
        attribute_keys=texts(spans, 2 * size.payload + 4 * spans + 2 * size.more),
        events=texts(spans, rendered),
        links=texts(spans, rendered + 3 * size.payload),
        status_message=texts(spans, size.payload),
        trace_state=texts(spans, size.payload),
        remote_service=texts(spans, size.payload),
    )
    noted = NotedKeys(np.empty(2 * size.payload + size.more, dtype=np.uint8), np.empty((KEYS_MAX, 2), dtype=np.int64))
    return _Room(size, rows, noted, np.empty(COUNTERS, dtype=np.int64))
