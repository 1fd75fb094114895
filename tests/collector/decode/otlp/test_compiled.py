"""The compiled loops say what the careful path says, or leave it to it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode import otlp_proto
from collector.decode.otlp_records import OddRequest, records
from collector.errors import MalformedPayload
from storage.batch import SpanRecords
from tests.collector.decode.otlp.messages import request, span_of
from tests.collector.decode.otlp.traces import comparable

IDS = b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8


def field(number: int, content: bytes) -> bytes:
    size, rest = bytearray(), len(content)
    while rest > 127:
        size.append(rest & 127 | 128)
        rest >>= 7
    return bytes([number << 3 | 2, *size, rest]) + content


def request_of(span: bytes) -> bytes:
    return field(1, field(2, field(2, IDS + span)))


def rows(payload: bytes, decode: Callable[[bytes], Any]) -> list[dict[str, Any]]:
    """Each row whole, its tokens in any order."""
    found: list[dict[str, Any]] = decode(payload).columns.to_records().records.to_pylist()
    return [{**row, "tokens": sorted(row["tokens"])} for row in found]


def assert_decoded_alike(payload: bytes) -> None:
    decoded, carefully = otlp_proto.decode(payload), otlp_proto.decode_carefully(payload)
    assert rows(payload, otlp_proto.decode) == rows(payload, otlp_proto.decode_carefully)
    assert (decoded.rejected, decoded.message) == (carefully.rejected, carefully.message)


def with_value(**value: Any) -> bytes:
    message = request()
    pair = span_of(message).attributes.add(key="k").value
    for name, given_value in value.items():
        setattr(pair, name, given_value)
    return bytes(message.SerializeToString())


def is_compiled(payload: bytes) -> bool:
    return isinstance(otlp_proto.decode(payload).columns, SpanRecords)


@settings(max_examples=500, deadline=None)
@given(value=st.floats() | st.floats(1e-4, 1e15) | st.integers(-(10**17), 10**17).map(lambda n: n / 10**6))
@example(value=0.1 + 0.2)
@example(value=0.00897796276350913)
@example(value=123456789012345680.0)
@example(value=999999999999999.9)
@example(value=562949953421312.06)
@example(value=0.000244140625)
@example(value=-0.0)
def test_a_double_is_written_with_the_digits_that_python_gives_it(value: float) -> None:
    assert_decoded_alike(with_value(double_value=value))


@settings(max_examples=200, deadline=None)
@given(value=st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300))
@example(value=-(2**63))
def test_an_integer_is_written_in_all_its_digits(value: int) -> None:
    assert_decoded_alike(with_value(int_value=value))


@settings(max_examples=300, deadline=None)
@given(value=st.text(max_size=80), key=st.text(max_size=40))
@example(value='quote " backslash \\ newline \n bell \x07 delete \x7f 한글 😀', key="\x1f")
def test_text_is_escaped_as_json_escapes_it(value: str, key: str) -> None:
    message = request()
    span_of(message).attributes.add(key=key).value.string_value = value
    span_of(message).name = value
    assert is_compiled(message.SerializeToString())
    assert_decoded_alike(message.SerializeToString())


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary(max_size=6) | st.sampled_from([b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe0\x80\x80"])
)
def test_text_that_is_not_utf8_is_told_from_text(raw: bytes) -> None:
    pair = field(1, b"k") + field(2, field(1, raw))
    assert_decoded_alike(request_of(field(9, pair)))
    assert_decoded_alike(request_of(field(5, raw)))


@settings(max_examples=100, deadline=None)
@given(value=st.binary(max_size=20))
def test_bytes_are_written_in_base64(value: bytes) -> None:
    assert is_compiled(with_value(bytes_value=value))
    assert_decoded_alike(with_value(bytes_value=value))


@settings(max_examples=500, deadline=None)
@given(noise=st.binary(max_size=24), number=st.sampled_from([9, 11, 13, 15]))
def test_whatever_stands_in_an_attribute_an_event_a_link_or_a_status_is_read_alike(noise: bytes, number: int) -> None:
    assert_decoded_alike(request_of(field(number, noise)))


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=16))
def test_whatever_stands_in_a_value_is_read_alike(noise: bytes) -> None:
    pair = field(1, b"peer.service") + field(2, noise)
    assert_decoded_alike(request_of(b"\x30\x03" + field(9, pair)))


def test_the_last_of_a_repeated_peer_service_counts() -> None:
    message = request()
    span_of(message).kind = Span.SPAN_KIND_CLIENT
    for value in ("first", "last"):
        span_of(message).attributes.add(key="peer.service").value.string_value = value
    payload = message.SerializeToString()

    assert is_compiled(payload)
    assert [row["remote_service"] for row in rows(payload, otlp_proto.decode)] == ["last"]
    assert_decoded_alike(payload)


def test_keys_of_events_links_and_scope_are_sorted_and_named_once() -> None:
    message = request()
    scope = message.resource_spans[0].scope_spans[0].scope
    event = span_of(message).events.add(name="e", time_unix_nano=1)
    link = span_of(message).links.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    for owner, keys in ((scope, "zb"), (event, "cab"), (link, "ba")):
        for key in keys:
            owner.attributes.add(key=key).value.int_value = 1
    payload = message.SerializeToString()

    assert is_compiled(payload)
    assert [row["attribute_keys"].partition("\x1e")[2] for row in rows(payload, otlp_proto.decode)] == [
        "\x1fa\x1fb\x1fc\x1fz\x1f"
    ]
    assert_decoded_alike(payload)


@pytest.mark.parametrize("keys", [255, 257])
def test_a_span_with_very_many_keys_in_its_events_is_read_alike(keys: int) -> None:
    message = request()
    event = span_of(message).events.add(name="e")
    for number in range(keys):
        event.attributes.add(key=str(number)).value.bool_value = True

    assert_decoded_alike(message.SerializeToString())


@pytest.mark.parametrize("values", [1, 200])
def test_values_that_the_loops_leave_to_python_keep_their_places(values: int) -> None:
    message = request()
    for number in range(values):
        span_of(message).attributes.add(key=f"plain {number}").value.int_value = number
        span_of(message).attributes.add(key=f"map {number}").value.kvlist_value.values.add(key="k").value.int_value = 1
        event = span_of(message).events.add(name="e")
        event.attributes.add(key=f"large {number % 9}").value.double_value = 1e300
    payload = message.SerializeToString()

    assert is_compiled(payload)
    assert_decoded_alike(payload)


def test_groups_of_one_request_keep_their_own_resource_and_scope() -> None:
    message = ExportTraceServiceRequest()
    for number in range(3):
        other = request(spans=number + 1)
        other.resource_spans[0].resource.attributes[0].value.string_value = f"service {number}"
        other.resource_spans[0].scope_spans[0].scope.name = f"scope {number}"
        other.resource_spans[0].scope_spans[0].scope.dropped_attributes_count = number
        message.MergeFrom(other)
    payload = message.SerializeToString()

    assert is_compiled(payload)
    assert_decoded_alike(payload)


@pytest.mark.parametrize("number", [9, 11, 13])
@pytest.mark.parametrize("content", [b"", b"\x20\x01"])
def test_parts_that_are_next_to_empty_do_not_outgrow_their_room(number: int, content: bytes) -> None:
    part = bytes([number << 3 | 2, len(content)]) + content
    span = IDS + part * 5_000
    message = request()
    message.resource_spans[0].scope_spans[0].ClearField("spans")
    payload = message.SerializeToString() + field(1, field(2, field(2, span)))

    assert_decoded_alike(payload)


@pytest.mark.parametrize("number", [9, 11, 13])
def test_a_large_span_with_ids_and_more_parts_than_any_real_one_is_refused(number: int) -> None:
    payload = field(1, field(2, field(2, IDS + bytes([number << 3 | 2, 0]) * 2**19)))

    with pytest.raises(MalformedPayload, match="fields in a large message"):
        otlp_proto.decode(payload)


def test_a_large_resource_before_a_span_is_judged_too() -> None:
    payload = field(1, field(1, bytes([1 << 3 | 2, 0]) * 2**19) + field(2, field(2, IDS)))

    with pytest.raises(MalformedPayload, match="fields in a large message"):
        otlp_proto.decode(payload)


def test_very_many_values_that_are_left_to_python_take_the_careful_path() -> None:
    span = field(2, IDS + bytes([9 << 3 | 2, 0]) * 60_000)

    with pytest.raises(OddRequest):
        records(field(1, field(2, span * 2)), otlp_proto._resource, otlp_proto._scope)


def test_a_resource_that_would_outgrow_its_request_many_times_over_is_left_to_the_careful_path() -> None:
    message = request(spans=2000)
    message.resource_spans[0].resource.attributes.add(key="k").value.string_value = "x" * 40_000

    with pytest.raises(OddRequest):
        records(message.SerializeToString(), otlp_proto._resource, otlp_proto._scope)


def numbered(first: int, spans: int) -> bytes:
    """A request whose spans have values of their own in every column."""
    message = request(spans=spans)
    message.resource_spans[0].resource.attributes[0].value.string_value = f"service {first}"
    for number, span in enumerate(message.resource_spans[0].scope_spans[0].spans, first):
        own = number.to_bytes(8, "big")
        span.trace_id, span.span_id, span.parent_span_id = own + own, own, (number + 1).to_bytes(8, "big")
        span.start_time_unix_nano, span.end_time_unix_nano = 10**18 + number, 10**18 + 3 * number
        span.kind, span.status.code, span.flags = number % 6, number % 3, number
        span.name = span.trace_state = span.status.message = f"span {number}"
        span.dropped_attributes_count = span.dropped_events_count = span.dropped_links_count = number
        span.attributes.add(key=f"key {number}").value.string_value = f"value {number}"
        span.events.add(name=f"event {number}", time_unix_nano=number)
        span.links.add(trace_id=own + own, span_id=own)
    return bytes(message.SerializeToString())


def test_what_was_decoded_stays_as_it_is_while_further_requests_are() -> None:
    payloads = [numbered(1000 * place + 1, spans) for place, spans in enumerate((1, 70, 3, 500, 2, 500, 70))]

    decoded = [otlp_proto.decode(payload).columns for payload in payloads]

    assert all(isinstance(columns, SpanRecords) for columns in decoded)
    for payload, columns in zip(payloads, decoded, strict=True):
        assert comparable(columns) == comparable(otlp_proto.decode_carefully(payload).columns)
