"""The dependency graph of a time window: its traces' narrow columns, linked some hundred thousand spans at once."""

from collections import Counter
from collections.abc import Iterator

from storage.clickhouse.connection import Connection
from storage.clickhouse.whole_traces import Window, link_table, windows_of
from storage.linking.linker import Call, summed
from storage.linking.table import calls_of_table
from storage.requests import DependencyLink


def links(connection: Connection, start_ns: int, end_ns: int) -> list[DependencyLink]:
    """As SpanReader.dependencies."""
    calls: Counter[Call] = Counter()
    for part in _calls(connection, (start_ns, end_ns)):
        calls.update(part)
    return summed((call, times) for call, times in calls.items() if times)


def _calls(connection: Connection, asked: Window) -> Iterator[Counter[Call]]:
    for window in windows_of(connection, asked):
        yield calls_of_table(link_table(connection, window), *window).calls
