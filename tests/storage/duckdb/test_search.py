"""What a search must get right beyond the contract: false token hits, giant traces, many traces, odd bounds."""

from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from storage.attributes import token
from storage.batch import SpanBatch
from storage.duckdb import newest, reader, search
from storage.duckdb.store import DuckDBStore
from storage.memory import MemoryStore
from storage.requests import RetentionPolicy
from storage.span import Resource
from tests.builders import FRONTEND, MS, TODAY_NS, a_short_trace_id, a_span, a_trace_id
from tests.contract.asking import a_query, found
from tests.contract.test_agreement import corpus, random_query

ASKED, COLLIDING = "value-61213870", "value-441064543"
"""Two texts whose tokens under the key `k` are the same."""


def test_the_colliding_texts_collide() -> None:
    assert token("k", ASKED) == token("k", COLLIDING)


class TestFalseTokenHits:
    def test_a_span_that_only_shares_the_token_is_not_found(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_span(1, attributes={"k": COLLIDING})]))
        assert found(store, tags={"k": ASKED}) == []

    def test_newer_false_hits_do_not_crowd_out_an_older_true_one(self, store: DuckDBStore) -> None:
        false = [a_span(n, start_ns=TODAY_NS + n, attributes={"k": COLLIDING}) for n in range(2, 400)]
        store.write(SpanBatch.of([a_span(1, start_ns=TODAY_NS, attributes={"k": ASKED}), *false]))
        assert found(store, tags={"k": ASKED}, limit=1) == [1]

    def test_a_false_hit_does_not_make_its_trace_look_newer(self, store: DuckDBStore) -> None:
        store.write(
            SpanBatch.of(
                [
                    a_span(1, 1, start_ns=TODAY_NS + 1, attributes={"k": ASKED}),
                    a_span(1, 2, start_ns=TODAY_NS + 9, attributes={"k": COLLIDING}),
                    a_span(2, 1, start_ns=TODAY_NS + 5, attributes={"k": ASKED}),
                ]
            )
        )
        assert found(store, tags={"k": ASKED}) == [2, 1]
        assert found(store, tags={"k": ASKED}, limit=1) == [2]


class TestPages:
    @pytest.mark.parametrize("strict", [True, False])
    def test_a_giant_trace_does_not_hide_the_older_ones(self, store: DuckDBStore, strict: bool) -> None:
        giant = [a_span(1, n, start_ns=TODAY_NS + 1000 + n) for n in range(1, 3000)]
        store.write(SpanBatch.of([*giant, *(a_span(n, start_ns=TODAY_NS + n) for n in range(2, 6))]))
        assert found(store, limit=3, strict=strict) == [1, 5, 4]
        assert len(store.find_traces(a_query(limit=1), strict=strict)[0]) == len(giant)

    def test_more_spans_of_one_instant_than_a_page_holds_are_all_seen(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_span(n, start_ns=TODAY_NS) for n in range(1, 1500)]))
        assert len(found(store, limit=2000)) == 1499

    @pytest.mark.parametrize("maintained", [False, True])
    @pytest.mark.parametrize(("ranges", "rows"), [(3, 16_384), (64, 5), (1, 1)])
    def test_more_traces_than_a_statement_has_ranges_or_rows_come_back_whole(
        self, store: DuckDBStore, maintained: bool, ranges: int, rows: int
    ) -> None:
        for half in (1, 2):
            for n in range(1, 100):
                store.write(SpanBatch.of([a_span(n, half, start_ns=TODAY_NS + n)]))
        if maintained:
            store.maintain(RetentionPolicy(None, None), 0)
        with (
            patch.object(reader, "_ROWS_WORTH_SKIPPING", 0),
            patch.object(reader, "_ROWS_WORTH_A_SELECT", 0),
            patch.object(reader, "_VECTOR_ROWS", 1),
            patch.object(reader, "_MAX_RANGES", ranges),
            patch.object(reader, "_MAX_ROWS", rows),
        ):
            traces = store.find_traces(a_query())
            by_id = store.get_traces([a_trace_id(n) for n in range(1, 100, 2)])
            summaries = store.find_trace_summaries(a_query())
        assert [[span.span_id[-1] for span in trace] for trace in traces] == [[1, 2]] * 99
        assert [[span.span_id[-1] for span in trace] for trace in by_id] == [[1, 2]] * 50
        assert [summary.spans for summary in summaries] == [2] * 99


class TestIds:
    def test_ids_are_found_without_reading_a_trace_when_no_tag_is_asked(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_span(n, start_ns=TODAY_NS + n) for n in range(1, 4)]))

        with patch.object(search, "traces_by_key", side_effect=AssertionError):
            assert store.find_trace_ids(a_query(service=FRONTEND, limit=2)) == [a_trace_id(3), a_trace_id(2)]

    def test_a_token_that_collides_gives_no_id(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_span(1, attributes={"k": COLLIDING}), a_span(2, attributes={"k": ASKED})]))

        assert store.find_trace_ids(a_query(tags={"k": ASKED})) == [a_trace_id(2)]

    def test_a_giant_trace_gives_its_id_once(self, store: DuckDBStore) -> None:
        giant = [a_span(1, n, start_ns=TODAY_NS + 1000 + n) for n in range(1, 3000)]
        store.write(SpanBatch.of([*giant, a_span(2, start_ns=TODAY_NS)]))

        assert store.find_trace_ids(a_query()) == [a_trace_id(1), a_trace_id(2)]


class TestWindows:
    @pytest.mark.parametrize("strict", [True, False])
    @pytest.mark.parametrize("seed", range(30))
    def test_however_few_rows_are_sorted_the_traces_are_the_newest(
        self, store: DuckDBStore, seed: int, strict: bool
    ) -> None:
        reference = MemoryStore(1000, ())
        for each in (store, reference):
            each.write(SpanBatch.of(corpus()))
        query = random_query(Random(seed))

        with patch.object(newest, "_MIN_ROWS", 1), patch.object(newest, "_MAX_ROWS", 2):
            assert store.find_trace_ids(query, strict=strict) == reference.find_trace_ids(query, strict=strict)


class TestOddBounds:
    @pytest.mark.parametrize(
        ("question", "matches"),
        [
            ({"start_min_ns": -(2**80), "start_max_ns": 2**80}, True),
            ({"start_min_ns": 2**63, "start_max_ns": 2**80}, False),
            ({"duration_max_ns": 2**80}, True),
            ({"duration_min_ns": 2**80}, False),
            ({"duration_min_ns": -(2**80)}, True),
            ({"duration_min_ns": 200 * MS, "duration_max_ns": 200 * MS}, True),
        ],
        ids=str,
    )
    def test_bounds_beyond_64_bits_are_no_error(
        self, store: DuckDBStore, question: dict[str, Any], matches: bool
    ) -> None:
        store.write(SpanBatch.of([a_span(1)]))
        assert found(store, **question) == ([1] if matches else [])

    def test_a_text_with_a_nul_is_found(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_span(1, service="a\x00b", attributes={"k\x00": "v\x00"}), a_span(2, service="a")]))
        assert found(store, service="a\x00b") == [1]
        assert found(store, service="a") == [2]
        assert found(store, tags={"k\x00": "v\x00"}) == [1]
        assert found(store, tags={"k\x00": None}) == [1]


class TestIgnoringCaseBeyondAscii:
    @pytest.mark.parametrize(("stored", "asked"), [("ΟΔΟΣ", "οδος"), ("İstanbul", "İSTANBUL"), ("straße", "STRAßE")])
    @pytest.mark.parametrize("maintained", [False, True])
    def test_names_match_as_python_lower_cases_them(
        self, store: DuckDBStore, stored: str, asked: str, maintained: bool
    ) -> None:
        store.write(SpanBatch.of([a_span(1, service=stored, name=stored)]))
        if maintained:
            store.maintain(RetentionPolicy(None, None), 0)
        expected = [1] if stored.lower() == asked.lower() else []
        assert found(store, service=asked, ignore_case=True) == expected
        assert found(store, operation=asked, ignore_case=True) == expected


def test_a_resource_attribute_of_any_key_is_found(store: DuckDBStore) -> None:
    keys = ["", "*", "a.b", '"', "\\", "/", "~", "$", "[0]", "new\nline"]
    spans = [a_span(n, resource=Resource({key: "here", "z": 1})) for n, key in enumerate(keys, 1)]
    store.write(SpanBatch.of(spans))
    for n, key in enumerate(keys, 1):
        assert found(store, tags={key: "here"}) == [n]
        assert found(store, tags={key: None}) == [n]


def test_traces_that_share_their_low_half_are_told_apart_unless_asked_not_to(store: DuckDBStore) -> None:
    store.write(SpanBatch.of([a_span(a_trace_id(7), 1), a_span(a_short_trace_id(7), 2)]))
    store.maintain(RetentionPolicy(None, None), 0)
    assert [len(trace) for trace in store.get_traces([a_trace_id(7)])] == [1]
    assert [len(trace) for trace in store.get_traces([a_trace_id(7)], strict=False)] == [2]
