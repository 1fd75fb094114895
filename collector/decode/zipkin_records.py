"""The spans of many posts of Zipkin v2 JSON through the compiled loop: Python works once for all of them."""

import threading
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.decode.compiled.json_reading import ODD
from collector.decode.compiled.zipkin_posts import LEAST_SPAN_BYTES, NOTES_MAX, TAGS_MAX, read_posts
from collector.decode.compiled.zipkin_rows import NUMBERS, TEXTS, PostedRows, Scratch
from collector.decode.room import copied, numbers, present, strings, texts, token_lists
from storage.batch import SpanRecords
from storage.span import Protocol

_ZIPKIN = pa.scalar(int(Protocol.ZIPKIN), pa.uint8())
_NOTHING = pa.scalar("{}", pa.string())
_LEAST_TOKEN_BYTES = len('"":"",')
_KEPT_MAX_BYTES = 2**20
"""Room for posts of up to this size together is kept for the next ones."""


class ReadPosts(NamedTuple):
    """records: the spans of the posts that the loop takes, in their order. spans_of: how many each post has; None when
    it is not among these."""

    records: SpanRecords
    spans_of: list[int | None]


def records(posts: Sequence[bytes]) -> ReadPosts:
    """Read these posts together. What the loop does not take is not for it to judge: each may be right or wrong."""
    payload = np.frombuffer(b"".join(posts), dtype=np.uint8)
    room = _room(len(payload))
    ends = [0, *accumulate(map(len, posts))]
    spans_of = np.empty(len(posts), dtype=np.int64)
    n = read_posts(payload, np.array(list(pairwise(ends)), dtype=np.int64), room.rows, room.scratch, spans_of)
    return ReadPosts(_records_of(room.rows, n), [None if spans == ODD else spans for spans in spans_of.tolist()])


def _records_of(rows: PostedRows, n: int) -> SpanRecords:
    arrays: dict[str, pa.Array] = {
        "trace_id": pa.Array.from_buffers(pa.binary(16), n, [None, copied(rows.trace_id[: 16 * n])]),
        "span_id": pa.array(rows.span_id[:n].copy()),
        "kind": pa.array(rows.kind[:n].copy()),
        "status_code": pa.array(rows.status_code[:n].copy()),
        "protocol": pa.repeat(_ZIPKIN, n),
        "resource": pa.repeat(_NOTHING, n),
        "tokens": token_lists(rows.tokens, rows.token_ends, n),
        "attributes": strings(rows.attributes, n),
        "attribute_keys": strings(rows.attribute_keys, n),
        "debug": pa.array(rows.debug[:n].astype(np.bool_)),
        "shared": pa.array(rows.shared[:n].astype(np.bool_)),
    }
    for column in ("parent_span_id", "start_ns", "duration_ns", "local_port", "remote_port"):
        arrays[column] = present(getattr(rows, column), n)
    for column in ("name", "service", "remote_service", "local_ipv4", "remote_ipv4", "events"):
        arrays[column] = strings(getattr(rows, column), n, nullable=True)
    return SpanRecords.of(arrays)


class _Room(NamedTuple):
    """Room for the rows of any posts that have at most `size_bytes` together."""

    size_bytes: int
    rows: PostedRows
    scratch: Scratch


_kept = threading.local()
"""One room a thread: pages that were touched before cost nothing to touch again."""


def _room(size_bytes: int) -> _Room:
    kept: _Room | None = getattr(_kept, "room", None)
    if kept and kept.size_bytes >= size_bytes:
        return kept
    room = _new_room(size_bytes * 5 // 4)
    if size_bytes <= _KEPT_MAX_BYTES:
        _kept.room = room
    return room


def _new_room(size_bytes: int) -> _Room:
    spans = size_bytes // LEAST_SPAN_BYTES + 1

    rows = PostedRows(
        trace_id=numbers(spans, np.uint8, 16),
        span_id=numbers(spans, np.uint64),
        parent_span_id=numbers(spans, np.uint64),
        start_ns=numbers(spans, np.int64),
        duration_ns=numbers(spans, np.int64),
        kind=numbers(spans, np.uint8),
        status_code=numbers(spans, np.uint8),
        debug=numbers(spans, np.uint8),
        shared=numbers(spans, np.uint8),
        local_port=numbers(spans, np.uint16),
        remote_port=numbers(spans, np.uint16),
        tokens=np.empty(size_bytes // _LEAST_TOKEN_BYTES + 1, dtype=np.uint32),
        token_ends=np.zeros(spans + 1, dtype=np.int32),
        name=texts(spans, size_bytes),
        service=texts(spans, size_bytes),
        remote_service=texts(spans, size_bytes),
        local_ipv4=texts(spans, size_bytes),
        remote_ipv4=texts(spans, size_bytes),
        # No text grows: tags stand there as they came, or nothing between braces; an annotation's time gets three
        # digits more, and the names of its members are shorter by as many bytes.
        attributes=texts(spans, size_bytes),
        attribute_keys=texts(spans, size_bytes),
        events=texts(spans, size_bytes),
    )
    places = [np.empty(shape, dtype=np.int64) for shape in ((TEXTS, 2), NUMBERS, (TAGS_MAX, 4), (NOTES_MAX, 3))]
    return _Room(size_bytes, rows, Scratch(*places))
