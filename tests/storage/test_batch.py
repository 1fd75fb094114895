"""Columns, the Arrow batch, and rows: no span changes on the way, and the search columns say what is in it."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.attributes import key_set, keys_elsewhere, text_of, token
from storage.batch import COLUMN_NAMES, SPAN_SCHEMA, SpanBatch, SpanColumns, search_tokens
from storage.matching import satisfies_tags
from storage.requests import TagFilter
from storage.rows import span_of
from storage.span import Event, Link, Resource, Scope, Span
from tests.builders import a_span, a_span_id, a_trace_id, a_zipkin_trace, exactly
from tests.span_strategies import spans


def column(batch: SpanBatch, name: str) -> list[Any]:
    values: list[Any] = batch.records.column(name).to_pylist()
    return values


@given(st.lists(spans(), max_size=4))
def test_any_spans_survive_the_batch_and_its_rows(written: list[Span]) -> None:
    assert exactly([span_of(row) for row in SpanBatch.of(written).rows()]) == exactly(written)


@given(st.lists(spans(), max_size=3), st.lists(spans(), max_size=3))
def test_extended_columns_equal_columns_filled_at_once(first: list[Span], second: list[Span]) -> None:
    together, left, right = SpanColumns(), SpanColumns(), SpanColumns()
    for span in first:
        left.append(span)
        together.append(span)
    for span in second:
        right.append(span)
        together.append(span)
    left.extend(right)
    assert len(left) == len(together) == len(first) + len(second)
    assert left.to_batch(5).records.equals(together.to_batch(5).records)


@given(spans())
def test_the_tokens_are_those_of_every_tag_but_the_resources(span: Span) -> None:
    expected = [token(key, text_of(value)) for attributes in searched(span) for key, value in attributes.items()]
    expected += [token("event", event.name) for event in span.events]
    (tokens,) = column(SpanBatch.of([span]), "tokens")
    assert sorted(tokens) == sorted(search_tokens(span)) == sorted(expected)


@given(spans())
def test_every_tag_that_satisfies_a_filter_has_its_token(span: Span) -> None:
    """So a store may rule a span out by its tokens and its resource alone."""
    tokens = set(search_tokens(span))
    for attributes in searched(span):
        for key, value in attributes.items():
            assert satisfies_tags(span, (TagFilter(key, text_of(value)),))
            assert token(key, text_of(value)) in tokens


@given(spans())
def test_the_key_set_names_the_attributes_of_the_span_and_then_those_of_all_else_that_is_searched(span: Span) -> None:
    """So a store may rule a span out by its keys, too."""
    own, *others = searched(span)
    elsewhere = keys_elsewhere([key for attributes in others for key in attributes])
    assert column(SpanBatch.of([span]), "attribute_keys") == [key_set(list(own)) + elsewhere]


def searched(span: Span) -> list[Any]:
    return [
        span.attributes,
        span.scope.attributes,
        *(event.attributes for event in span.events),
        *(link.attributes for link in span.links),
    ]


def test_a_batch_has_the_one_schema_and_one_time_of_receipt() -> None:
    batch = SpanBatch.of(a_zipkin_trace(), received_ns=42)
    assert batch.records.schema.equals(SPAN_SCHEMA)
    assert tuple(batch.records.schema.names) == COLUMN_NAMES
    assert column(batch, "received_ns") == [42] * 4
    assert len(batch) == 4


def test_an_empty_batch_has_the_schema_and_no_rows() -> None:
    batch = SpanBatch.of([])
    assert batch.records.schema.equals(SPAN_SCHEMA)
    assert (len(batch), list(batch.rows())) == (0, [])


def test_no_column_that_may_not_be_null_has_nulls() -> None:
    batch = SpanBatch.of([Span(a_trace_id(1), a_span_id(1)), *a_zipkin_trace()])
    batch.records.validate(full=True)
    required = [field.name for field in SPAN_SCHEMA if not field.nullable]
    assert {name: batch.records.column(name).null_count for name in required} == dict.fromkeys(required, 0)


def test_values_left_at_their_default_are_null_or_zero() -> None:
    batch = SpanBatch.of([Span(a_trace_id(1), a_span_id(1))])
    row = dict(zip(COLUMN_NAMES, next(batch.rows()), strict=True))
    assert row["parent_span_id"] is row["start_ns"] is row["duration_ns"] is row["service"] is row["name"] is None
    assert row["events"] is row["links"] is row["scope_name"] is row["remote_service"] is row["local_port"] is None
    assert (row["flags"], row["debug"], row["shared"], row["attributes"], row["resource"]) == (
        0,
        False,
        False,
        "{}",
        "{}",
    )


def test_ids_become_numbers_and_raw_bytes() -> None:
    batch = SpanBatch.of([a_span(1, 2**63 + 5, parent=2**64 - 1)])
    assert column(batch, "trace_id") == [bytes(a_trace_id(1))]
    assert column(batch, "span_id") == [2**63 + 5]
    assert column(batch, "parent_span_id") == [2**64 - 1]


def test_a_parent_of_zero_is_no_parent() -> None:
    (span,) = map(span_of, SpanBatch.of([a_span(parent=0)]).rows())
    assert span.parent_span_id is None


def test_a_batch_refuses_records_of_another_schema() -> None:
    with pytest.raises(ValueError, match="expected a record batch of SPAN_SCHEMA"):
        SpanBatch(pa.RecordBatch.from_pydict({"trace_id": [b"x"]}))


def test_a_sparse_value_of_an_unknown_column_is_refused() -> None:
    with pytest.raises(KeyError):
        SpanColumns().set_sparse("service", 0, "not sparse")


def test_events_links_and_scope_keep_what_is_not_in_them_out_of_their_text() -> None:
    span = a_span(
        events=(Event(1, "e"), Event(2, "f", {"a": 1}, 3)),
        links=(Link(a_trace_id(1), a_span_id(2)),),
        resource=Resource({"r": 1}),
        scope=Scope("s"),
    )
    batch = SpanBatch.of([span])
    assert column(batch, "events") == [
        '[{"time_ns":1,"name":"e"},{"time_ns":2,"name":"f","attributes":{"a":1},"dropped":3}]'
    ]
    assert column(batch, "links") == [f'[{{"trace_id":"{a_trace_id(1).hex()}","span_id":"0000000000000002"}}]']
    assert column(batch, "rare") == [None]


def test_sparse_columns_of_many_rows_fill_only_their_own_row() -> None:
    written = [a_span(span=n, debug=n == 3, flags=7 if n == 5 else 0, trace_state="x" * (n == 2)) for n in range(1, 7)]
    batch = SpanBatch.of(written)
    assert column(batch, "debug") == [False, False, True, False, False, False]
    assert column(batch, "flags") == [0, 0, 0, 0, 7, 0]
    assert column(batch, "trace_state") == [None, "x", None, None, None, None]


def test_numbers_of_a_batch_without_tokens_are_aligned() -> None:
    """Arrow warns on stderr when DuckDB has it scan a buffer that is not."""
    buffers = [buffer for column in SpanBatch.of([a_span()]).records.columns for buffer in column.buffers() if buffer]
    assert [buffer.address % 8 for buffer in buffers] == [0] * len(buffers)
