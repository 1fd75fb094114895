"""Summaries of many traces at once, from narrow columns as Arrow tables: what `trace_summary` says, by arrays."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from storage.conventions import EMPTY_SPAN_NAME, MISSING_SERVICE_NAME
from storage.ids import TraceId, low_half
from storage.linking.row_index import Bools, Ids, Ints, RowIndex
from storage.repeats import content_of
from storage.span import Span, SpanKind
from storage.trace_summary import SHORTEST_NS, ServiceSummary, TraceSummary, common_trace_id, is_error

SUMMARY_TABLE = pa.schema(
    [
        pa.field("trace_id", pa.binary(16), nullable=False),
        pa.field("span_id", pa.uint64(), nullable=False),
        pa.field("parent_span_id", pa.uint64()),
        pa.field("start_ns", pa.int64()),
        pa.field("duration_ns", pa.int64()),
        pa.field("service", pa.string()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("protocol", pa.uint8(), nullable=False),
        pa.field("shared", pa.bool_(), nullable=False),
        pa.field("error", pa.bool_(), nullable=False),
        pa.field("untold", pa.bool_(), nullable=False),
    ]
)
"""A row a span, of whole traces. error: the status is ERROR, or a Zipkin span has an `error` tag.

untold: only its attributes tell whether it is an error: a Zipkin span without `error` that has `otel.status_code`.
"""

WholeSpans = Callable[[Sequence[int]], Sequence[Span]]
"""The spans of these rows of a table, in the order of the rows."""

_LIKENESS = ("trace_id", "span_id", "kind", "shared", "start_ns", "duration_ns", "protocol", "service", "name")
_WHOLE_AT_ONCE = 5_000
_LARGEST_NS = np.int64(2**63 - 1)


def summaries_of_table(table: pa.Table, whole: WholeSpans, *, strict: bool) -> dict[bytes, TraceSummary]:
    """The summary of each trace of a SUMMARY_TABLE, by its id or, not strict, by the low 64 bits of its ids.

    whole: asked for the few rows that look like another one, or are untold; at most some thousand at once.
    """
    if not table.num_rows:
        return {}
    return _Summaries(_with_all_told(table, whole), strict).by_key()


class _Summaries:
    """A SUMMARY_TABLE in which every row is a span of its own and says whether it is an error."""

    def __init__(self, table: pa.Table, strict: bool) -> None:
        self._ids, self._trace = _traces(table["trace_id"], strict)
        self._span_id: Ids = table["span_id"].to_numpy()
        self._starts = table["start_ns"]
        self._service = _named(table["service"], MISSING_SERVICE_NAME)
        self._name = _named(table["name"], EMPTY_SPAN_NAME)
        self._error: Bools = table["error"].to_numpy()
        self._duration_ns: Ints = pc.fill_null(table["duration_ns"], 0).to_numpy()
        parent: Ids = pc.fill_null(table["parent_span_id"], 0).to_numpy()
        named: Bools = pc.is_valid(table["parent_span_id"]).to_numpy()
        is_half = _server_halves(self._trace, self._span_id, table["kind"].to_numpy(), table["shared"].to_numpy())
        self._parentless = np.flatnonzero(~is_half & (~named | (parent == self._span_id)))
        children = np.flatnonzero(~is_half & named)
        self._orphans = children[~_held(self._trace, self._span_id, children, parent)]

    def by_key(self) -> dict[bytes, TraceSummary]:
        """Each trace's summary, by its grouping key."""
        traces = len(self._ids)
        spans = np.bincount(self._trace, minlength=traces).tolist()
        orphans = np.bincount(self._trace[self._orphans], minlength=traces).tolist()
        services, (roots, names), (starts, ends) = self._services(), self._roots(), self._times()
        return {
            key: TraceSummary(
                trace_id=common_trace_id(self._ids[key]),
                root_service=roots.get(number, ""),
                root_operation=names.get(number, ""),
                start_ns=starts.get(number),
                end_ns=ends.get(number),
                spans=spans[number],
                errors=sum(one.errors for one in services[number]),
                orphans=orphans[number],
                services=tuple(services[number]),
            )
            for number, key in enumerate(self._ids)
        }

    def _services(self) -> list[list[ServiceSummary]]:
        codes = self._service.indices.to_numpy()
        width = len(self._service.dictionary)
        pairs, places = np.unique(self._trace * width + codes, return_inverse=True)
        counts = np.bincount(places).tolist()
        errors = np.bincount(places, weights=self._error).astype(np.int64).tolist()
        found: list[list[ServiceSummary]] = [[] for _ in self._ids]
        names = self._service.dictionary.to_pylist()
        for pair, count, failed in zip(pairs.tolist(), counts, errors, strict=True):
            found[pair // width].append(ServiceSummary(names[pair % width], count, failed))
        return [sorted(one, key=lambda service: service.name) for one in found]

    def _roots(self) -> tuple[dict[int, str], dict[int, str]]:
        """The service and the operation of each trace's root, where there is one."""
        rows = pa.array(self._parentless)
        services, names = self._service.take(rows).cast(pa.string()), self._name.take(rows).cast(pa.string())
        start_ns = self._starts.take(rows)
        earliness = {
            "trace": pa.array(self._trace[self._parentless]),
            "without_start": pc.is_null(start_ns),
            "start_ns": start_ns,
            "span_id": pa.array(self._span_id[self._parentless]),
            "service": services,
            "name": names,
        }
        candidates = pa.table(earliness)
        order = pc.sort_indices(candidates, sort_keys=[(name, "ascending") for name in earliness])
        sorted_rows = candidates.take(order)
        trace, first = np.unique(sorted_rows["trace"].to_numpy(), return_index=True)
        firsts = sorted_rows.take(pa.array(first))
        numbers = trace.tolist()
        return (
            dict(zip(numbers, firsts["service"].to_pylist(), strict=True)),
            dict(zip(numbers, firsts["name"].to_pylist(), strict=True)),
        )

    def _times(self) -> tuple[dict[int, int], dict[int, int]]:
        """The earliest start and the latest end of each trace that has a start."""
        started = np.flatnonzero(pc.is_valid(self._starts).to_numpy())
        start_ns: Ints = self._starts.take(pa.array(started)).to_numpy()
        duration_ns = np.maximum(self._duration_ns[started], SHORTEST_NS)
        end_ns = np.where(start_ns > _LARGEST_NS - duration_ns, _LARGEST_NS, start_ns + duration_ns)
        times = pa.table({"trace": self._trace[started], "start_ns": start_ns, "end_ns": end_ns})
        found = times.group_by("trace").aggregate([("start_ns", "min"), ("end_ns", "max")])
        numbers = found["trace"].to_pylist()
        return (
            dict(zip(numbers, found["start_ns_min"].to_pylist(), strict=True)),
            dict(zip(numbers, found["end_ns_max"].to_pylist(), strict=True)),
        )


def _traces(trace_id: pa.ChunkedArray, strict: bool) -> tuple[dict[bytes, list[TraceId]], Ints]:
    """The ids of each trace by its grouping key, and the number of each row's trace: its place among the keys."""
    coded = _encoded(trace_id)
    ids: dict[bytes, list[TraceId]] = {}
    numbers: dict[bytes, int] = {}
    number_of = []
    for one in coded.dictionary.to_pylist():
        key = one if strict else low_half(one)
        ids.setdefault(key, []).append(TraceId(one))
        number_of.append(numbers.setdefault(key, len(numbers)))
    return ids, np.array(number_of, dtype=np.int64)[coded.indices.to_numpy()]


def _named(texts: pa.ChunkedArray, stand_in: str) -> pa.DictionaryArray:
    """The texts, with the stand-in for those that are absent or empty."""
    return _encoded(pc.if_else(pc.equal(pc.fill_null(texts, ""), ""), stand_in, texts))


def _encoded(values: pa.ChunkedArray) -> pa.DictionaryArray:
    return values.combine_chunks().dictionary_encode()


def _server_halves(trace: Ints, span_id: Ids, kind: npt.NDArray[np.uint8], shared: Bools) -> Bools:
    """As `trace_summary.server_halves`."""
    client = kind == SpanKind.CLIENT
    halves: Bools = np.zeros(len(trace), dtype=np.bool_)
    for called, callers in (((kind == SpanKind.SERVER), client), (shared & ~client, ~shared)):
        asking = np.flatnonzero(called)
        among = np.flatnonzero(callers)
        halves[asking] |= _are_among(trace[among], span_id[among], trace[asking], span_id[asking])
    return halves


def _held(trace: Ints, span_id: Ids, rows: Ints, asked: Ids) -> Bools:
    """Whether each row's trace has a span of the id that `asked` has for the row."""
    return _are_among(trace, span_id, trace[rows], asked[rows])


def _are_among(trace: Ints, span_id: Ids, asked_trace: Ints, asked_id: Ids) -> Bools:
    index = RowIndex(trace, span_id, np.zeros(len(trace), dtype=np.bool_))
    found: Bools = index.find(asked_trace, asked_id, shared=False) < len(trace)
    return found


def _with_all_told(table: pa.Table, whole: WholeSpans) -> pa.Table:
    """The table without rows that repeat another, and with the `error` of what was untold."""
    kept: Bools = np.ones(table.num_rows, dtype=np.bool_)
    for alike in _alike(table):
        kept[_repeats(alike, whole)] = False
    error: Bools = table["error"].to_numpy().copy()
    for rows in _parts(np.flatnonzero(table["untold"].to_numpy() & kept).tolist()):
        error[rows] = [is_error(span) for span in whole(rows)]
    at = table.schema.get_field_index("error")
    return table.set_column(at, SUMMARY_TABLE.field("error"), pa.array(error)).filter(pa.array(kept))


def _alike(table: pa.Table) -> Iterator[list[int]]:
    """Rows that may be equal, but for their contents: each time the rows of some groups, next to each other."""
    trace = _encoded(table["trace_id"]).indices.to_numpy().astype(np.int64)
    span_id: Ids = table["span_id"].to_numpy()
    repeated = RowIndex(trace, span_id, np.zeros(len(trace), dtype=np.bool_)).repeated
    if not repeated.size:
        return
    rows = pa.array(np.flatnonzero(_are_among(trace[repeated], span_id[repeated], trace, span_id)))
    candidates = table.select(_LIKENESS).take(rows).append_column("row", rows)
    groups = candidates.group_by(_LIKENESS, use_threads=False).aggregate([("row", "list")])["row_list"]
    together: list[int] = []
    for alike in groups.filter(pc.greater(pc.list_value_length(groups), 1)).to_pylist():
        if together and len(together) + len(alike) > _WHOLE_AT_ONCE:
            yield together
            together = []
        together += alike
    if together:
        yield together


def _repeats(alike: list[int], whole: WholeSpans) -> list[int]:
    """Those of the rows whose content one before them has."""
    seen: set[bytes] = set()
    found = []
    for rows in _parts(alike):
        for row, span in zip(rows, whole(rows), strict=True):
            # A digest, because the contents of a trace that was sent twice would be as much as all its spans.
            content = sha256(content_of(span)).digest()
            if content in seen:
                found.append(row)
            seen.add(content)
    return found


def _parts(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), _WHOLE_AT_ONCE):
        yield rows[start : start + _WHOLE_AT_ONCE]
