"""Side tables: answers stay the same when slices, segments and sorted runs are tiny; tag keys come and go."""

from collections.abc import Iterator

import pytest

from storage.batch import SpanBatch
from storage.duckdb import upkeep
from storage.duckdb.marks import Marks
from storage.duckdb.reader import merged
from storage.duckdb.store import DuckDBStore
from storage.duckdb.upkeep import UpkeepState
from storage.requests import Operation, RetentionPolicy
from storage.span import Endpoint, Resource, Span
from tests.builders import TODAY_NS, a_span, a_trace_id, exactly
from tests.contract.asking import a_query, found
from tests.storage.duckdb.conftest import StoreMaker

KEEP_EVERYTHING = RetentionPolicy(None, None)


def numbered(number: int) -> Span:
    return a_span(
        number,
        name=f"GET /user/{number}",
        service=f"service-{number % 3}",
        start_ns=TODAY_NS + number,
        attributes={"user": number},
        resource=Resource({"host": f"host-{number}"}),
        remote=Endpoint(f"remote-{number % 2}"),
    )


@pytest.fixture
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 2)
    monkeypatch.setattr(upkeep, "SEGMENT_ROWS", 5)
    monkeypatch.setattr(upkeep, "_SORTED_RUN_ROWS", 4)


@pytest.fixture
def stepped(make_store: StoreMaker, tiny_steps: None) -> Iterator[DuckDBStore]:
    """22 commits of one span each, received at 1 to 22; 20 are rolled up in many slices, segments and runs."""
    with make_store(autocomplete_keys=("user",)) as store:
        for number in range(1, 23):
            store.write(SpanBatch.of([numbered(number)], number))
            if number % 4 == 0:
                store.maintain(KEEP_EVERYTHING, number)
        yield store


def rows_of(store: DuckDBStore, table: str) -> int:
    (count,) = store._instance.read(lambda cursor: cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0])
    return int(count)


class TestManySmallSteps:
    def test_every_trace_is_found_by_id_and_only_once(self, stepped: DuckDBStore) -> None:
        traces = stepped.get_traces([a_trace_id(number) for number in range(1, 23)])
        assert exactly(traces) == exactly([[numbered(number)] for number in range(1, 23)])

    def test_names_are_complete(self, stepped: DuckDBStore) -> None:
        assert stepped.services() == ["service-0", "service-1", "service-2"]
        assert stepped.operations("service-1") == sorted(
            (Operation(f"GET /user/{number}", 0) for number in range(1, 23, 3)), key=lambda operation: operation.name
        )
        assert stepped.remote_services("service-2") == ["remote-0", "remote-1"]
        assert stepped.tag_values("user") == sorted(str(number) for number in range(1, 23))

    def test_a_resource_attribute_leads_to_its_span(self, stepped: DuckDBStore) -> None:
        assert found(stepped, tags={"host": "host-7"}) == [7]
        assert found(stepped, tags={"resource.host": "host-22"}) == [22]

    def test_sorted_runs_take_the_rows_of_the_recent_ones(self, stepped: DuckDBStore) -> None:
        stepped.maintain(KEEP_EVERYTHING, 22)
        assert rows_of(stepped, "traces") + rows_of(stepped, "recent_traces") == 22
        assert rows_of(stepped, "traces") >= 18

    @pytest.mark.parametrize("first_kept", [2, 5, 6, 7, 13, 21, 22])
    def test_retention_leaves_the_names_of_what_is_left_wherever_a_segment_is_cut(
        self, stepped: DuckDBStore, first_kept: int
    ) -> None:
        assert stepped.maintain(RetentionPolicy(max_age_ns=0, max_bytes=None), first_kept) == first_kept - 1
        left = range(first_kept, 23)
        assert stepped.services() == sorted({f"service-{number % 3}" for number in left})
        assert stepped.tag_values("user") == sorted(str(number) for number in left)
        assert found(stepped, tags={"host": f"host-{first_kept - 1}"}) == []
        assert found(stepped) == sorted(left, reverse=True)
        assert rows_of(stepped, "resources") == len(left)
        assert rows_of(stepped, "span_names") == len(left)

    def test_retention_forgets_the_places_of_dropped_traces(self, stepped: DuckDBStore) -> None:
        stepped.maintain(RetentionPolicy(max_age_ns=0, max_bytes=None), 100)
        assert rows_of(stepped, "traces") + rows_of(stepped, "recent_traces") == 0
        assert stepped.services() == []

    def test_spans_received_out_of_order_go_by_their_age_and_take_their_names_along(self, stepped: DuckDBStore) -> None:
        late = a_span(50, name="late", service="late")
        stepped.write(SpanBatch.of([late], 3))
        assert stepped.maintain(RetentionPolicy(max_age_ns=0, max_bytes=None), 10) == 10
        assert "late" not in stepped.services()
        assert found(stepped) == list(range(22, 9, -1))


class TestHighCardinality:
    def test_equal_names_of_many_commits_are_kept_once_a_segment(self, store: DuckDBStore) -> None:
        for _ in range(5):
            store.write(SpanBatch.of([a_span(1), a_span(2), a_span(3, name="other")]))
            store.maintain(KEEP_EVERYTHING, 0)
        assert rows_of(store, "span_names") == 2
        assert rows_of(store, "resources") == 1


class TestAutocompleteKeys:
    def test_a_key_configured_later_has_the_values_of_earlier_spans(self, make_store: StoreMaker) -> None:
        with make_store() as store:
            store.write(SpanBatch.of([numbered(1), numbered(2)]))
            store.maintain(KEEP_EVERYTHING, 0)
            assert store.tag_values("user") == []
        with make_store(autocomplete_keys=("user",)) as store:
            assert store.tag_values("user") == ["1", "2"]
            store.maintain(KEEP_EVERYTHING, 0)
            assert store.tag_values("user") == ["1", "2"]

    def test_a_key_that_was_not_configured_for_a_while_has_no_gap(self, make_store: StoreMaker) -> None:
        for number, keys in enumerate([("user",), (), ("user", "other")], 1):
            with make_store(autocomplete_keys=keys) as store:
                store.write(SpanBatch.of([numbered(number)]))
                store.maintain(KEEP_EVERYTHING, 0)
        with make_store(autocomplete_keys=("user",)) as store:
            assert store.tag_values("user") == ["1", "2", "3"]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("a", "a"),
            (200, "200"),
            (200.0, "200"),
            (True, "true"),
            (b"\x01", "AQ=="),
            (["a", 1], '["a",1]'),
            (None, ""),
        ],
    )
    @pytest.mark.parametrize("key", ["plain", "*", "a.b", '"', "\\", "/", "~1", "$.x", "[0]", "é"])
    @pytest.mark.parametrize("maintained", [False, True])
    def test_values_are_texts_whatever_their_type_and_key(
        self, make_store: StoreMaker, key: str, value: str, text: str, maintained: bool
    ) -> None:
        with make_store(autocomplete_keys=(key,)) as store:
            store.write(SpanBatch.of([a_span(1, attributes={"x": 1, key: value})]))
            if maintained:
                store.maintain(KEEP_EVERYTHING, 0)
            assert store.tag_values(key) == [text]


def test_a_reader_that_knows_an_old_watermark_sees_every_span_once(store: DuckDBStore) -> None:
    store.write(SpanBatch.of([a_span(1, 1)]))
    store.maintain(KEEP_EVERYTHING, 0)
    stale = Marks(store._marks.watermark, store._marks.spans_per_commit)
    store.write(SpanBatch.of([a_span(1, 2), a_span(2, 1)]))
    store.maintain(KEEP_EVERYTHING, 0)
    store._marks.watermark = stale.watermark
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([[a_span(1, 1), a_span(1, 2)]])
    assert found(store) == found(store, limit=2)
    assert len(store.find_traces(a_query())[0]) in (1, 2)
    assert store.operations("frontend") == [Operation("get", 0)]


@pytest.mark.parametrize(
    ("ranges", "gap", "expected"),
    [
        ([(5, 9)], 1, [(5, 9)]),
        ([(5, 9), (1, 2)], 1, [(1, 2), (5, 9)]),
        ([(1, 5), (3, 4)], 1, [(1, 5)]),
        ([(1, 5), (5, 9)], 1, [(1, 9)]),
        ([(1, 5), (6, 9)], 1, [(1, 9)]),
        ([(1, 5), (7, 9)], 1, [(1, 5), (7, 9)]),
        ([(1, 5), (10, 12), (30, 40)], 5, [(1, 12), (30, 40)]),
    ],
)
def test_ranges_merge_when_they_overlap_or_are_no_further_apart_than_the_gap(
    ranges: list[tuple[int, int]], gap: int, expected: list[tuple[int, int]]
) -> None:
    assert merged(ranges, gap) == expected


def test_a_full_segment_is_followed_by_one_that_begins_after_it() -> None:
    state = UpkeepState(watermark=10, segment=1, segment_rows=upkeep.SEGMENT_ROWS - 5)
    assert state.after(11, 4) == UpkeepState(11, 1, upkeep.SEGMENT_ROWS - 1)
    assert state.after(11, 5) == UpkeepState(11, 12, 0)
