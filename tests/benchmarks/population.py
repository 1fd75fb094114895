"""Millions of realistic spans as SpanBatches, built by numpy and Arrow: no Python object per span.

A trace is a tree of hops: a SERVER (or CONSUMER) span for the root, and for every further hop a CLIENT (PRODUCER) span
in the caller's service with a SERVER (CONSUMER) span below it in the callee's. Spans arrive when they end plus 0-5 s,
so out of order. How large traces are, and what goes wrong with them, is a Shape's to say.
"""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage import attributes as attrs
from storage.attributes import Attributes
from storage.batch import COLUMN_NAMES, SPAN_SCHEMA, SPARSE_FIELDS, SpanBatch, events_text
from storage.span import Event, Protocol, SpanKind, StatusCode
from tests.benchmarks.vocabulary import (
    ERROR_SHARE,
    FURTHER_SERVICES,
    KINDS,
    OPERATIONS_PER_KIND,
    RARE_SHARE,
    RARE_TAG,
    SERVICES,
    attributes_of,
    operation,
    resource_of,
)

SPANS_PER_SECOND = 116
"""So that 50 million spans are 120 hours, as in the reference measurements."""
_RARE_SETS = 64
_SAMPLES_PER_BATCH = 40
_INSTANCES = 3
_MOST_SPANS = 199
_MESSAGING_SHARE = 0.1
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _AttributeSets:
    """Row i of all three belongs together; a kind's rows stand after one another, the rare ones at the end."""

    json: pa.Array
    keys: pa.Array
    tokens: pa.Array


@dataclass(frozen=True, slots=True)
class TraceSample:
    """A trace to look up later: its id in hex, and how many spans it has."""

    trace_id: str
    spans: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What traces are like: geometrically many hops more than the fewest spans, at most 199 spans.

    cut_share: of the callees' spans, those that do not name their caller, and so are further roots. late_share: of all
    spans, those that arrive with the next batch, a quarter of an hour later or more.
    """

    services: tuple[str, ...] = SERVICES
    fewest_spans: int = 0
    mean_hops: float = 5.5
    cut_share: float = 0.0
    late_share: float = 0.0


PLAIN = Shape()
"""About 10 spans a trace, one root each, nothing late: as in the reference measurements."""
REALISTIC = Shape((*SERVICES, *FURTHER_SERVICES), fewest_spans=10, mean_hops=15.5, cut_share=0.02, late_share=0.01)
"""10 to 200 spans a trace, about 40; 40 services; several roots in every third trace; one span in 100 late."""


class Population:
    """Spans in the order of time from `first_ns` on; equal arguments give equal spans."""

    def __init__(
        self, first_ns: int, seed: int = 1, attribute_sets_per_kind: int = 65_536, shape: Shape = PLAIN
    ) -> None:
        self._shape = shape
        self._late: list[pa.RecordBatch] = []
        self._random = np.random.default_rng(seed)
        self._next_ns = first_ns
        self._sets = _attribute_sets(random.Random(seed), attribute_sets_per_kind)
        self._sets_per_kind = attribute_sets_per_kind
        self._resources = pa.array(
            [
                attrs.encode(resource_of(service, instance))
                for service in shape.services
                for instance in range(_INSTANCES)
            ]
        )
        self._names = pa.array([operation(kind, number) for kind in KINDS for number in range(OPERATIONS_PER_KIND)])
        weights = 1 / np.arange(1, len(shape.services) + 1) ** 1.1
        self._service_weights = weights / weights.sum()

    def batch(self, about: int, received_ns: int) -> tuple[SpanBatch, list[TraceSample]]:
        """The next spans, about so many, in the order of arrival; and some of their traces.

        Traces are whole, but for spans that come with the next batch, or with `rest`.
        """
        shape = self._shape
        mean_spans = 2 * int(shape.mean_hops) - 1 + shape.fewest_spans
        hops = self._random.geometric(1 / shape.mean_hops, max(about // mean_spans, 1))
        sizes = np.minimum(hops * 2 - 1 + shape.fewest_spans, _MOST_SPANS)
        n = int(sizes.sum())
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        trace = np.repeat(np.arange(len(sizes)), sizes)
        place = np.arange(n) - starts[trace]
        parent = self._parents(place, starts[trace])
        kind = self._kinds(place, trace)
        service = self._services(place, parent)
        parent = np.where(self._chosen(shape.cut_share, n) & (place % 2 == 0), -1, parent)
        start_ns, duration_ns = self._times(place, trace, len(sizes), n)
        trace_bytes = self._random.integers(0, 256, (len(sizes), 16), dtype=np.uint8)
        span_id = self._random.integers(1, 2**63, n, dtype=np.uint64)
        failed = self._random.random(n) < ERROR_SHARE
        attribute_set = self._attribute_rows(kind, n)
        arrival = np.argsort(start_ns + duration_ns + self._random.integers(0, 5 * 10**9, n), kind="stable")
        columns: dict[str, pa.Array] = {
            "trace_id": _fixed_binary(trace_bytes[trace]),
            "span_id": pa.array(span_id),
            "parent_span_id": pa.array(span_id[np.maximum(parent, 0)], mask=parent < 0),
            "start_ns": pa.array(start_ns),
            "duration_ns": pa.array(duration_ns),
            "service": pa.array(shape.services).take(pa.array(service)),
            "name": self._names.take(
                pa.array(kind * OPERATIONS_PER_KIND + self._random.integers(0, OPERATIONS_PER_KIND, n))
            ),
            "kind": pa.array(np.array(KINDS, dtype=np.uint8)[kind]),
            "status_code": pa.array(np.where(failed, int(StatusCode.ERROR), int(StatusCode.UNSET)).astype(np.uint8)),
            "protocol": pa.array(np.full(n, int(Protocol.OTLP), dtype=np.uint8)),
            "attributes": self._sets.json.take(attribute_set),
            "attribute_keys": self._sets.keys.take(attribute_set),
            "tokens": _with_event_tokens(self._sets.tokens.take(attribute_set), failed),
            "resource": self._resources.take(pa.array(service * _INSTANCES + trace % _INSTANCES)),
            "events": _exceptions(failed, start_ns),
            "scope_name": pa.array(np.full(n, "shop.instrumentation")),
            "received_ns": pa.array(np.full(n, received_ns, dtype=np.int64)),
        }
        for field in (*SPARSE_FIELDS, SPAN_SCHEMA.field("rare")):
            columns.setdefault(field.name, _default(field, n))
        records = pa.RecordBatch.from_arrays(
            [columns[name].cast(SPAN_SCHEMA.field(name).type) for name in COLUMN_NAMES], schema=SPAN_SCHEMA
        )
        picked = range(0, len(sizes), len(sizes) // _SAMPLES_PER_BATCH + 1)
        samples = [TraceSample(trace_bytes[row].tobytes().hex(), int(sizes[row])) for row in picked]
        return self._arriving(records.take(pa.array(arrival))), samples

    def rest(self) -> SpanBatch:
        """The late spans of the last batch, if any."""
        late, self._late = self._late or [pa.RecordBatch.from_pylist([], SPAN_SCHEMA)], []
        return SpanBatch(_joined(late))

    def _arriving(self, records: pa.RecordBatch) -> SpanBatch:
        late = self._chosen(self._shape.late_share, records.num_rows)
        if not late.any():
            return SpanBatch(records)
        before, self._late = self._late, [records.filter(pa.array(late))]
        return SpanBatch(_joined([*before, records.filter(pa.array(~late))]))

    def _chosen(self, share: float, n: int) -> npt.NDArray[np.bool_]:
        """Each with this probability; without a draw when there are none, for equal arguments give equal spans."""
        return self._random.random(n) < share if share else np.zeros(n, dtype=np.bool_)

    def _parents(self, place: _Ints, start: _Ints) -> _Ints:
        """The row of each span's parent, -1 for roots: a callee's is the caller just before it."""
        hop = (place + 1) // 2
        caller = 2 * np.floor(self._random.random(len(place)) * hop).astype(np.int64)
        above = np.where(place % 2 == 1, caller, place - 1)
        return np.where(place == 0, -1, start + above)

    def _kinds(self, place: _Ints, trace: _Ints) -> _Ints:
        """Indices into KINDS; the two spans of a hop are of one sort."""
        coin = self._random.random(len(place))
        hop_coin = coin[np.where(place % 2 == 0, np.maximum(np.arange(len(place)) - 1, 0), np.arange(len(place)))]
        messaging = (hop_coin < _MESSAGING_SHARE) & (place > 0)
        return np.where(place % 2 == 1, np.where(messaging, 2, 1), np.where(messaging, 3, 0))

    def _services(self, place: _Ints, parent: _Ints) -> _Ints:
        """Indices into SERVICES; a CLIENT span is local to the service of its parent."""
        own = self._random.choice(len(self._shape.services), len(place), p=self._service_weights)
        return np.where(place % 2 == 1, own[np.maximum(parent, 0)], own)

    def _times(self, place: _Ints, trace: _Ints, traces: int, n: int) -> tuple[_Ints, _Ints]:
        span_ns = n * 10**9 // SPANS_PER_SECOND
        begin = np.sort(self._random.integers(0, max(span_ns, 1), traces)) + self._next_ns
        self._next_ns += span_ns
        start = begin[trace] + place * self._random.integers(100_000, 3_000_000, n)
        duration = np.minimum(self._random.lognormal(16.5, 1.2, n), 6e10).astype(np.int64) // (1 + place) // 1000 * 1000
        return start // 1000 * 1000, duration + 1000

    def _attribute_rows(self, kind: _Ints, n: int) -> pa.Array:
        rows = kind * self._sets_per_kind + self._random.integers(0, self._sets_per_kind, n)
        rare = self._random.random(n) < RARE_SHARE
        rows[rare] = len(KINDS) * self._sets_per_kind + self._random.integers(0, _RARE_SETS, int(rare.sum()))
        return pa.array(rows)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(batches)


def _attribute_sets(source: random.Random, per_kind: int) -> _AttributeSets:
    key, value = RARE_TAG
    sets: list[Attributes] = [attributes_of(kind, source) for kind in KINDS for _ in range(per_kind)]
    sets += [attributes_of(SpanKind.SERVER, source) | {key: value} for _ in range(_RARE_SETS)]
    tokens = [[attrs.token(name, attrs.text_of(item)) for name, item in one.items()] for one in sets]
    return _AttributeSets(
        pa.array([attrs.encode(one) for one in sets]),
        pa.array([attrs.key_set(list(one)) for one in sets]),
        pa.array(tokens, pa.list_(pa.uint32())),
    )


_EXCEPTION: Attributes = {
    "exception.type": "TimeoutError",
    "exception.message": "no answer from upstream within 2.5 s",
    "exception.stacktrace": "".join(
        f"  at shop.Handler.step{depth}(Handler.java:{depth * 7})\n" for depth in range(12)
    ),
}
_EXCEPTION_TOKENS = [
    attrs.token("event", "exception"),
    *(attrs.token(key, attrs.text_of(value)) for key, value in _EXCEPTION.items()),
]


def _exceptions(failed: npt.NDArray[np.bool_], start_ns: _Ints) -> pa.Array:
    texts: list[str | None] = [None] * len(failed)
    for row in np.flatnonzero(failed):
        texts[row] = events_text([Event(int(start_ns[row]) + 1000, "exception", _EXCEPTION)])
    return pa.array(texts, pa.string())


def _with_event_tokens(tokens: pa.ListArray, failed: npt.NDArray[np.bool_]) -> pa.ListArray:
    """The same lists, those of failed rows with the tokens of their exception event after them."""
    offsets = tokens.offsets.to_numpy()
    ends = np.repeat(offsets[1:][failed], len(_EXCEPTION_TOKENS))
    values = np.insert(tokens.values.to_numpy(), ends, _EXCEPTION_TOKENS * int(failed.sum()))
    more = np.concatenate(([0], np.cumsum(failed))) * len(_EXCEPTION_TOKENS)
    return pa.ListArray.from_arrays(pa.array((offsets + more).astype(np.int32)), pa.array(values))


def _fixed_binary(rows: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(16), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])


def _default(field: pa.Field, n: int) -> pa.Array:
    return pa.nulls(n, field.type) if field.nullable else pa.repeat(pa.scalar(0).cast(field.type), n)
