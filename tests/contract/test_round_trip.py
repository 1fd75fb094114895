"""What is written reads back as it was: every field, every type, nothing merged and nothing corrected."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from storage.attributes import AttributeValue
from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.ids import TraceId
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import (
    MS,
    TODAY_NS,
    a_short_trace_id,
    a_span,
    a_span_id,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
    exactly,
)
from tests.contract.conftest import RECEIVED_NS, Writing
from tests.span_strategies import spans as any_spans

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
UINT32_MAX = 2**32 - 1

VALUES: dict[str, AttributeValue] = {
    "string": "GET",
    "empty string": "",
    "string that looks like a number": "500",
    "string that looks like a bool": "true",
    "string that looks like null": "null",
    "string that looks like a tagged value": '{"$b":"AAEC"}',
    "string with NUL": "a\x00b",
    "string with control characters": "\x01\x1f\x7f\t\r\n",
    "string with quotes and backslashes": 'a"b\\c\\"d\\u0041',
    "string outside the basic plane": "clew 🧶 𝄞",
    "string in composed and decomposed form": "\u00e9 e\u0301",
    "string with line separators": "\u2028\u2029",
    "string of a thousand characters": "x" * 1024,
    "string of a hundred thousand characters": "long " * 20_000,
    "largest int64": INT64_MAX,
    "smallest int64": INT64_MIN,
    "int beyond a double's precision": 2**53 + 1,
    "zero": 0,
    "double": 72.5,
    "whole double": 200.0,
    "double zero": 0.0,
    "negative double zero": -0.0,
    "largest double": 1.7976931348623157e308,
    "smallest double": 5e-324,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "negative infinity": float("-inf"),
    "true": True,
    "false": False,
    "bytes": b"\x00\x01\xfe\xff",
    "no bytes": b"",
    "null": None,
    "empty array": [],
    "array of every type": ["a", 1, 1.0, True, None, b"\x00", float("nan"), [], {}],
    "empty map": {},
    "map that looks like a tag": {"$b": "AAEC", "$m": {"$d": "NaN"}},
    "nested": {"a": [{"b": {"": [b"\xff", {"c": INT64_MIN}]}}], "d.e": {"f": float("-inf")}},
}

KEYS = ["", " ", "a.b.c", "a b", 'quo"te', "back\\slash", "new\nline", "\x00", "\x1f", "$m", "ключ", "🧶", "k" * 300]


def at_span(span: Span, attributes: dict[str, AttributeValue]) -> Span:
    return replace(span, attributes=attributes)


def at_resource(span: Span, attributes: dict[str, AttributeValue]) -> Span:
    return replace(span, resource=Resource(attributes))


def at_scope(span: Span, attributes: dict[str, AttributeValue]) -> Span:
    return replace(span, scope=Scope("scope", attributes=attributes))


def at_event(span: Span, attributes: dict[str, AttributeValue]) -> Span:
    return replace(span, events=(Event(TODAY_NS, "event", attributes),))


def at_link(span: Span, attributes: dict[str, AttributeValue]) -> Span:
    return replace(span, links=(Link(a_trace_id(9), a_span_id(9), attributes=attributes),))


LEVELS = [at_span, at_resource, at_scope, at_event, at_link]


def read_back(store: SpanStore, trace_id: TraceId) -> list[object]:
    (trace,) = store.get_traces([trace_id])
    return [exactly(span) for span in trace]


@pytest.mark.parametrize("level", LEVELS)
def test_attributes_of_every_type_read_back_with_their_types_at_every_level(
    store: SpanStore, write: Writing, level: Any
) -> None:
    span = level(a_span(), VALUES)
    write(span)
    assert read_back(store, span.trace_id) == [exactly(span)]


@pytest.mark.parametrize("level", LEVELS)
def test_attribute_keys_of_every_kind_read_back_at_every_level(store: SpanStore, level: Any) -> None:
    span = level(a_span(), {key: number for number, key in enumerate(KEYS)})
    store.write(SpanBatch.of([span]))
    assert read_back(store, span.trace_id) == [exactly(span)]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None, "service": None, "start_ns": None, "duration_ns": None},
        {"name": ""},
        {"name": '{"foo":"bar"}'},
        {"name": "GET /🧶\x00"},
        {"service": "Ünï\x00code"},
        {"start_ns": None, "duration_ns": 1},
        {"start_ns": 1, "duration_ns": None},
        {"start_ns": 0, "duration_ns": 0},
        {"duration_ns": -5 * MS},
        {"start_ns": TODAY_NS + 1, "duration_ns": 1},
        {"start_ns": INT64_MAX, "duration_ns": INT64_MAX},
        {"start_ns": INT64_MIN, "duration_ns": INT64_MIN},
        {"parent_span_id": a_span_id(7)},
        {"parent_span_id": a_span_id(2**64 - 1), "span_id": a_span_id(2**64 - 2)},
        {"span_id": a_span_id(2**63)},
        {"trace_id": a_short_trace_id(0xB)},
        {"trace_id": TraceId(b"\xff" * 16)},
        {"trace_id": TraceId(bytes(7) + b"\x01" + bytes(8))},
        {"status_code": StatusCode.OK},
        {"status_code": StatusCode.ERROR, "status_message": "it\x00broke 🧨"},
        {"status_message": "a message without a code"},
        {"trace_state": "vendor=1,other=2"},
        {"flags": UINT32_MAX},
        {"dropped_attributes": 1, "dropped_events": 2, "dropped_links": UINT32_MAX},
        {"debug": True},
        {"shared": True},
        {"debug": True, "shared": True},
        {"local": Endpoint(ipv4="10.0.0.1")},
        {"local": Endpoint(ipv6="2001:db8::c001", port=65535)},
        {"remote": Endpoint(service="kafka")},
        {"remote": Endpoint("kafka", "10.0.0.2", "2001:db8::2", 1)},
        {"resource": Resource({}, 3, "https://opentelemetry.io/schemas/1.26.0")},
        {"scope": Scope("io.envoyproxy", "1.40", {"a": 1}, 4, "https://example.com/schema")},
        {"scope": Scope(version="1.0")},
        {"events": (Event(0, ""), Event(INT64_MAX, "\x00"), Event(5, "named", {"a": 1}, 3))},
        {"events": (Event(3, "late"), Event(1, "early"), Event(3, "late"))},
        {
            "links": (
                Link(a_trace_id(2), a_span_id(3), "vendor=1", {"opentracing.ref_type": "child_of"}, 5, 257),
                Link(a_trace_id(2), a_span_id(3), "", {"opentracing.ref_type": "follows_from"}),
                Link(TraceId(bytes(16)), a_span_id(0)),
            )
        },
    ],
    ids=str,
)
def test_every_field_reads_back_as_it_was_written(store: SpanStore, changes: dict[str, Any]) -> None:
    span = a_span(**changes)
    store.write(SpanBatch.of([span]))
    assert read_back(store, span.trace_id) == [exactly(span)]


@pytest.mark.parametrize("kind", SpanKind)
@pytest.mark.parametrize("protocol", Protocol)
def test_kind_and_protocol_read_back_as_they_were_written(store: SpanStore, kind: SpanKind, protocol: Protocol) -> None:
    span = a_span(kind=kind, protocol=protocol)
    store.write(SpanBatch.of([span]))
    assert read_back(store, span.trace_id) == [exactly(span)]


def test_a_span_of_ids_only_reads_back_alone(store: SpanStore, write: Writing) -> None:
    span = Span(a_trace_id(1), a_span_id(1))
    write(span)
    assert read_back(store, span.trace_id) == [exactly(span)]


def test_a_zipkin_trace_reads_back_as_it_was_written(store: SpanStore, write: Writing) -> None:
    trace = a_zipkin_trace()
    write(*trace)
    assert read_back(store, trace[0].trace_id) == [exactly(span) for span in trace]


def test_client_and_server_half_of_a_shared_span_stay_two_spans_with_their_own_flags(
    store: SpanStore, write: Writing
) -> None:
    """zipkin.md 3.8 ITSpanStore, ITTraces: CLIENT debug, SERVER shared, same ids."""
    client = a_zipkin_span(span=2, kind=SpanKind.CLIENT, debug=True)
    server = a_zipkin_span(span=2, kind=SpanKind.SERVER, shared=True)
    write(client, server)
    assert read_back(store, client.trace_id) == [exactly(client), exactly(server)]


def test_equal_spans_of_one_batch_are_all_kept(store: SpanStore, write: Writing) -> None:
    """Merging is a reader's business: zipkin.md 3.8 has stores that keep a replayed span twice."""
    span = a_span()
    write(span, span, span)
    assert read_back(store, span.trace_id) == [exactly(span)] * 3


def test_a_batch_that_is_sent_again_is_kept_twice(store: SpanStore) -> None:
    batch = SpanBatch.of(a_zipkin_trace())
    store.write(batch)
    store.write(batch)
    (trace,) = store.get_traces([a_trace_id(1)])
    assert len(trace) == 8


def test_spans_that_reuse_an_id_at_another_time_all_survive(store: SpanStore, write: Writing) -> None:
    """jaeger.md 4.2 T5: 200 spans, every 20th reuses the id of the first."""
    spans = [a_span(span=1 if n % 20 == 0 else n + 1, start_ns=TODAY_NS + n * MS) for n in range(200)]
    write(*spans)
    assert read_back(store, spans[0].trace_id) == [exactly(span) for span in spans]


def test_attributes_that_differ_only_in_type_stay_apart_within_a_batch(store: SpanStore) -> None:
    values: list[AttributeValue] = [1, 1.0, True, "1", b"1", [1], [1.0], [True], "true", None, "", {}]
    spans = [a_span(span=n + 1, attributes={"v": value}) for n, value in enumerate(values)]
    store.write(SpanBatch.of(spans))
    assert read_back(store, spans[0].trace_id) == [exactly(span) for span in spans]


def test_a_batch_without_rows_changes_nothing(store: SpanStore) -> None:
    store.write(SpanBatch.of([]))
    assert store.statistics().spans == 0
    assert store.services() == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(any_spans())
def test_any_span_reads_back_as_it_was_written(store: SpanStore, span: Span) -> None:
    before = len(_trace_or_nothing(store, span.trace_id))
    store.write(SpanBatch.of([span], RECEIVED_NS))
    assert exactly(_trace_or_nothing(store, span.trace_id)[before:]) == exactly([span])


def _trace_or_nothing(store: SpanStore, trace_id: TraceId) -> list[Span]:
    return [span for trace in store.get_traces([trace_id]) for span in trace]
