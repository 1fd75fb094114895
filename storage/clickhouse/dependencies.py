"""The dependency graph of a time window: the sums that are kept of its buckets, and of the rest its traces' narrow
columns, linked some hundred thousand spans at once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from storage.clickhouse.call_sums import links_of
from storage.clickhouse.connection import Connection
from storage.clickhouse.whole_traces import Window, link_table, windows_of
from storage.linking.linker import Call, summed
from storage.linking.table import calls_of_table
from storage.requests import DependencyLink


def links(connection: Connection, start_ns: int, end_ns: int) -> list[DependencyLink]:
    """As SpanReader.dependencies."""
    kept = links_of(connection, (start_ns, end_ns))
    calls: Counter[Call] = Counter()
    for parent, child, times, errors in zip(*(column.to_pylist() for column in kept.calls.columns), strict=True):
        calls[Call(parent, child, error=False)] += times - errors
        calls[Call(parent, child, error=True)] += errors
    for part in _calls(connection, kept.rest):
        calls.update(part)
    return summed((call, times) for call, times in calls.items() if times)


def _calls(connection: Connection, parts: Sequence[Window]) -> Iterator[Counter[Call]]:
    for part in parts:
        for window in windows_of(connection, part):
            yield calls_of_table(link_table(connection, window), *window).calls
