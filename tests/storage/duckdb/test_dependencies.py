"""The dependency graph in DuckDB equals the linker's, whatever was written and however it is sliced."""

from collections.abc import Iterator
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.duckdb.dependencies import links
from storage.ids import TraceId
from storage.memory import MemoryStore
from storage.requests import DependencyLink
from storage.span import Span, SpanKind
from tests.builders import HOUR, SECOND, TODAY_NS, a_short_trace_id, a_span, a_trace_id, a_zipkin_trace
from tests.storage.duckdb.span_tables import an_empty_database, locate, write
from tests.storage.linking.traces import sane_traces, spans

_STARTS = st.none() | st.integers(1, 40)
_IDS = [a_trace_id(1), a_short_trace_id(1), a_trace_id(2), TraceId(bytes(7) + b"\7" + bytes(7) + b"\2"), a_trace_id(3)]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_empty_database() as connection:
        yield connection


@st.composite
def written(draw: st.DrawFn) -> list[list[Span]]:
    """Spans in the order of writing, in one list for each time that `traces` is brought up to date; sane and broken."""
    found: list[Span] = []
    for trace_id in draw(st.lists(st.sampled_from(_IDS), max_size=4)):
        if draw(st.booleans()):
            found += draw(sane_traces(trace_id, starts=_STARTS))
        else:
            found += draw(st.lists(spans(trace_id, starts=_STARTS), max_size=8))
    if draw(st.booleans()):
        found = draw(st.permutations(found))
    cuts = sorted(draw(st.lists(st.integers(0, len(found)), max_size=2)))
    return [found[a:b] for a, b in pairwise([0, *cuts, len(found)])]


def specified(spans: list[Span], start_ns: int, end_ns: int) -> list[DependencyLink]:
    store = MemoryStore(10_000, ())
    store.write(SpanBatch.of(spans))
    return store.dependencies(start_ns, end_ns)


@settings(max_examples=100, deadline=None)
@given(
    written(), st.integers(-1, 41), st.integers(0, 41), st.sampled_from([1, 4, 16, 1 << 18]), st.sampled_from([2, 100])
)
def test_links_equal_the_specification(
    parts: list[list[Span]], start_ns: int, length_ns: int, slice_spans: int, commit_spans: int
) -> None:
    everything = [span for part in parts for span in part]
    with an_empty_database() as database:
        for number, part in enumerate(parts):
            for at in range(0, len(part), commit_spans):
                write(database, part[at : at + commit_spans])
            if number < len(parts) - 1:
                locate(database, settle=number == 0)
        found = links(database.cursor(), start_ns, start_ns + length_ns, slice_spans=slice_spans)
    assert found == specified(everything, start_ns, start_ns + length_ns)


@pytest.mark.parametrize("slice_spans", [1, 1 << 18])
def test_links_count_whole_traces_whatever_part_lies_in_the_window(
    database: duckdb.DuckDBPyConnection, slice_spans: int
) -> None:
    """Reference 3.8 ITDependencies: the window is that of the trace's timestamp."""
    write(database, a_zipkin_trace(1))
    locate(database)
    cursor = database.cursor()
    whole = [DependencyLink("backend", "db", 1, 1), DependencyLink("frontend", "backend", 1)]
    assert links(cursor, TODAY_NS, TODAY_NS, slice_spans=slice_spans) == whole
    assert links(cursor, TODAY_NS + 1, TODAY_NS + HOUR, slice_spans=slice_spans) == []


def test_links_of_two_windows_are_those_of_both_when_they_adjoin(database: duckdb.DuckDBPyConnection) -> None:
    for number in range(10):
        write(database, a_zipkin_trace(number + 1, start_ns=TODAY_NS + number * SECOND))
    cursor = database.cursor()
    middle_ns = TODAY_NS + 4 * SECOND
    counts = [
        [link.call_count for link in links(cursor, start_ns, end_ns)]
        for start_ns, end_ns in [(TODAY_NS, middle_ns), (middle_ns + 1, TODAY_NS + HOUR), (TODAY_NS, TODAY_NS + HOUR)]
    ]
    assert counts == [[5, 5], [5, 5], [10, 10]]


def test_links_find_a_late_span_far_from_its_trace(database: duckdb.DuckDBPyConnection) -> None:
    write(database, [a_span(1, 1, kind=SpanKind.CLIENT, service="web")])
    write(database, [a_span(2, number, service="busy") for number in range(1, 200)])
    write(database, [a_span(1, 2, parent=1, kind=SpanKind.SERVER, service="app", start_ns=TODAY_NS + HOUR)])
    locate(database)
    assert links(database.cursor(), TODAY_NS, TODAY_NS + SECOND, slice_spans=64) == [DependencyLink("web", "app", 1)]


def test_links_leave_no_trace_in_the_session(database: duckdb.DuckDBPyConnection) -> None:
    write(database, a_zipkin_trace(1))
    cursor = database.cursor()
    before = cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert links(cursor, TODAY_NS, TODAY_NS + HOUR) == links(cursor, TODAY_NS, TODAY_NS + HOUR)
    assert cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall() == before


def test_links_end_the_transaction_when_reading_fails(database: duckdb.DuckDBPyConnection) -> None:
    write(database, a_zipkin_trace(1))
    cursor = database.cursor()
    database.execute("DROP TABLE traces")
    with pytest.raises(duckdb.CatalogException):
        links(cursor, TODAY_NS, TODAY_NS)
    cursor.begin()
    cursor.rollback()
