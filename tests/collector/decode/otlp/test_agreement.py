"""Both decoders against `SpanColumns.append`, the executable definition of what a span's columns are."""

from hypothesis import given, settings
from msgspec.structs import replace

from collector.decode import otlp_json, otlp_proto
from storage.ids import NO_TRACE
from tests.collector.decode.otlp.traces import GROUPS, Group, as_json, as_protobuf, comparable, expected_columns


@settings(max_examples=60, deadline=None)
@given(groups=GROUPS)
def test_protobuf_decodes_to_the_columns_of_the_spans_sent(groups: list[Group]) -> None:
    decoded = otlp_proto.decode(as_protobuf(groups))

    assert comparable(decoded.columns) == comparable(expected_columns(groups))
    assert (dict(decoded.rejected), decoded.message) == ({}, "")


@settings(max_examples=60, deadline=None)
@given(groups=GROUPS)
def test_protobuf_decodes_to_equal_columns_when_its_attributes_were_seen_before(groups: list[Group]) -> None:
    payload = as_protobuf(groups)

    first, second = otlp_proto.decode(payload), otlp_proto.decode(payload)

    assert comparable(first.columns) == comparable(second.columns) == comparable(expected_columns(groups))


@settings(max_examples=60, deadline=None)
@given(groups=GROUPS)
def test_json_decodes_to_the_columns_of_the_spans_sent(groups: list[Group]) -> None:
    decoded = otlp_json.decode(as_json(groups))

    assert comparable(decoded.columns) == comparable(expected_columns(groups))
    assert (dict(decoded.rejected), decoded.message) == ({}, "")


@settings(max_examples=60, deadline=None)
@given(groups=GROUPS)
def test_a_span_without_a_trace_id_changes_nothing_of_its_neighbours(groups: list[Group]) -> None:
    broken = [
        (resource, scope, [*spans[:1], replace(spans[0], trace_id=NO_TRACE), *spans[1:]])
        for resource, scope, spans in groups
        if spans
    ]

    for decoded in (otlp_proto.decode(as_protobuf(broken)), otlp_json.decode(as_json(broken))):
        assert comparable(decoded.columns) == comparable(expected_columns(groups))
        assert sum(decoded.rejected.values()) == len(broken)
