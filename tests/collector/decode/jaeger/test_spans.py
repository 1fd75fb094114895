"""What becomes of a Jaeger span, in whichever of the three forms it comes: reference sections 3.1 and 1.4."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import jaeger_proto, jaeger_thrift
from collector.decode.decoded import Decoded
from storage.attributes import text_of
from storage.batch import SpanColumns
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Link, Protocol, Span, SpanKind, StatusCode
from tests.builders import TODAY_NS, US, a_short_trace_id, a_span_id, a_trace_id
from tests.collector.decode.jaeger.messages import (
    CHILD_OF,
    FOLLOWS_FROM,
    START_US,
    Sent,
    Tags,
    Value,
    binary_packet,
    compact_packet,
    proto_body,
    spans_of,
    thrift_body,
)

FORMS: dict[str, Callable[..., Decoded]] = {
    "thrift": lambda *spans, **process: jaeger_thrift.decode(thrift_body(*spans, **process)),
    "binary": lambda *spans, **process: jaeger_thrift.decode_binary_message(binary_packet(*spans, **process)),
    "compact": lambda *spans, **process: jaeger_thrift.decode_compact_message(compact_packet(*spans, **process)),
    "proto": lambda *spans, **process: jaeger_proto.decode(proto_body(*spans, **process)),
}
Decode = Callable[..., Decoded]


@pytest.fixture(params=FORMS)
def decode(request: pytest.FixtureRequest) -> Decode:
    return FORMS[request.param]


def one_span(decode: Decode, sent: Sent, *, service: str = "frontend", process: Tags = ()) -> Span:
    decoded = decode(sent, service=service, process=process)
    (span,) = spans_of(decoded)
    return span


def test_a_span_keeps_its_ids_name_times_and_service_and_says_that_it_came_by_jaeger(decode: Decode) -> None:
    span = one_span(decode, Sent())

    assert (span.trace_id, span.span_id, span.parent_span_id) == (a_trace_id(1), a_span_id(1), None)
    assert (span.service, span.name, span.start_ns, span.duration_ns) == ("frontend", "get", TODAY_NS, 200 * US)
    assert span.protocol is Protocol.JAEGER
    assert span.resource.attributes == {"service.name": "frontend"}


def test_a_64_bit_trace_id_is_padded(decode: Decode) -> None:
    assert one_span(decode, Sent(trace_id=a_short_trace_id(7))).trace_id == a_short_trace_id(7)


def test_ids_with_the_highest_bit_set_are_kept(decode: Decode) -> None:
    trace_id, span_id = TraceId(b"\xff" * 16), SpanId(b"\x80" + bytes(7))
    span = one_span(decode, Sent(trace_id=trace_id, span_id=span_id))
    assert (span.trace_id, span.span_id) == (trace_id, span_id)


@pytest.mark.parametrize(
    "value", ["text", "", "zoë\0", True, False, 0, -(2**63), 2**63 - 1, 72.5, 200.0, b"\x00\xff", b""]
)
def test_a_tags_type_and_value_are_kept_on_span_process_and_log(decode: Decode, value: Value) -> None:
    tag = [("k", value)]

    span = one_span(decode, Sent(tags=tag, logs=[(START_US, tag)]), process=tag)

    for found in (span.attributes, span.resource.attributes, span.events[0].attributes):
        assert (found["k"], type(found["k"])) == (value, type(value))


def test_tags_keep_their_order(decode: Decode) -> None:
    assert list(one_span(decode, Sent(tags=[("b", 1), ("a", 2), ("c", 3)])).attributes) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("client", SpanKind.CLIENT),
        ("server", SpanKind.SERVER),
        ("producer", SpanKind.PRODUCER),
        ("consumer", SpanKind.CONSUMER),
        ("internal", SpanKind.INTERNAL),
        ("odd", SpanKind.UNSPECIFIED),
        (3, SpanKind.UNSPECIFIED),
    ],
)
def test_span_kind_is_read_and_stays_a_tag(decode: Decode, text: Value, kind: SpanKind) -> None:
    span = one_span(decode, Sent(tags=[("span.kind", text)]))
    assert (span.kind, span.attributes) == (kind, {"span.kind": text})


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ([], StatusCode.UNSET, ""),
        ([("error", True)], StatusCode.ERROR, ""),
        ([("error", "true")], StatusCode.ERROR, ""),
        ([("error", False)], StatusCode.UNSET, ""),
        ([("error", True), ("otel.status_code", "OK")], StatusCode.ERROR, ""),
        ([("error", True), ("otel.status_description", "boom")], StatusCode.ERROR, "boom"),
        ([("error", True), ("http.status_message", "Bad Gateway")], StatusCode.ERROR, "Bad Gateway"),
        ([("otel.status_code", "OK")], StatusCode.OK, ""),
        ([("otel.status_code", "error"), ("otel.status_description", "boom")], StatusCode.ERROR, "boom"),
        ([("otel.status_code", "OK"), ("http.status_code", 500)], StatusCode.OK, ""),
        ([("http.status_code", 200)], StatusCode.UNSET, ""),
        ([("http.status_code", 399)], StatusCode.UNSET, ""),
        ([("http.status_code", 404), ("span.kind", "client")], StatusCode.ERROR, ""),
        ([("http.status_code", 404), ("span.kind", "server")], StatusCode.UNSET, ""),
        ([("http.status_code", 404)], StatusCode.ERROR, ""),
        ([("http.status_code", "503"), ("span.kind", "server")], StatusCode.ERROR, ""),
        ([("http.status_code", "none")], StatusCode.UNSET, ""),
        ([("http.status_code", 502), ("http.status_message", "no route")], StatusCode.ERROR, "no route"),
    ],
)
def test_the_status_is_read_from_the_tags_that_stay(
    decode: Decode, tags: Tags, status: StatusCode, message: str
) -> None:
    span = one_span(decode, Sent(tags=tags))
    assert (span.status_code, span.status_message, span.attributes) == (status, message, dict(tags))


def test_the_parent_comes_from_the_field_or_the_reference(decode: Decode) -> None:
    span = one_span(decode, Sent(parent=a_span_id(9)))
    assert (span.parent_span_id, span.links) == (a_span_id(9), ())


def test_the_first_child_of_reference_within_the_trace_is_the_parent(decode: Decode) -> None:
    references = [
        (CHILD_OF, a_trace_id(2), a_span_id(2)),
        (FOLLOWS_FROM, a_trace_id(1), a_span_id(3)),
        (CHILD_OF, a_trace_id(1), a_span_id(4)),
        (CHILD_OF, a_trace_id(1), a_span_id(5)),
    ]

    span = one_span(decode, Sent(references=references))

    assert span.parent_span_id == a_span_id(4)
    assert span.links == (
        Link(a_trace_id(2), a_span_id(2), attributes={"opentracing.ref_type": "child_of"}),
        Link(a_trace_id(1), a_span_id(3), attributes={"opentracing.ref_type": "follows_from"}),
        Link(a_trace_id(1), a_span_id(5), attributes={"opentracing.ref_type": "child_of"}),
    )


def test_a_span_that_only_follows_another_of_its_trace_has_it_as_its_parent(decode: Decode) -> None:
    span = one_span(decode, Sent(references=[(FOLLOWS_FROM, a_trace_id(1), a_span_id(3))]))

    assert span.parent_span_id == a_span_id(3)
    assert span.links == (Link(a_trace_id(1), a_span_id(3), attributes={"opentracing.ref_type": "follows_from"}),)


def test_a_span_that_follows_another_trace_has_no_parent(decode: Decode) -> None:
    assert one_span(decode, Sent(references=[(FOLLOWS_FROM, a_trace_id(2), a_span_id(3))])).parent_span_id is None


def test_a_logs_event_is_the_events_name(decode: Decode) -> None:
    span = one_span(decode, Sent(logs=[(START_US + 1, [("level", "warn"), ("event", "retry"), ("attempt", 2)])]))
    assert span.events == (Event(TODAY_NS + US, "retry", {"level": "warn", "attempt": 2}),)


@pytest.mark.parametrize("fields", [[("message", "hi")], [("event", 3)], [("event", "")], []])
def test_a_log_without_an_event_has_no_name_and_keeps_its_fields(decode: Decode, fields: Tags) -> None:
    assert one_span(decode, Sent(logs=[(START_US, fields)])).events == (Event(TODAY_NS, "", dict(fields)),)


@pytest.mark.parametrize(("flags", "debug"), [(0, False), (1, False), (3, True), (9, False)])
def test_flags_are_kept_and_the_debug_flag_is_read(decode: Decode, flags: int, debug: bool) -> None:
    span = one_span(decode, Sent(flags=flags))
    assert (span.flags, span.debug) == (flags, debug)


def test_a_process_keeps_its_tags_beside_its_name(decode: Decode) -> None:
    span = one_span(decode, Sent(), process=[("hostname", "pod-1"), ("service.name", "another"), ("pid", 7)])
    assert span.resource.attributes == {"service.name": "frontend", "hostname": "pod-1", "pid": 7}


def test_a_process_without_a_name_is_called_by_its_tag_or_as_jaeger_calls_it(decode: Decode) -> None:
    assert one_span(decode, Sent(), service="").service == "empty-service-name"
    assert one_span(decode, Sent(), service="", process=[("service.name", "shop")]).service == "shop"


@pytest.mark.parametrize("ip", ["10.0.0.7", 167772167, 10 << 24 | 7])
def test_the_ip_tag_is_the_address_of_the_host_and_stays_a_tag(decode: Decode, ip: Value) -> None:
    span = one_span(decode, Sent(), process=[("ip", ip)])
    assert (span.local, span.resource.attributes["ip"]) == (Endpoint(ipv4="10.0.0.7"), ip)


def test_peer_tags_are_the_remote_endpoint_of_a_caller(decode: Decode) -> None:
    tags: Tags = [("span.kind", "client"), ("peer.service", "db"), ("peer.ipv4", -1062731775), ("peer.port", 5432)]
    assert one_span(decode, Sent(tags=tags)).remote == Endpoint("db", ipv4="192.168.0.1", port=5432)


@pytest.mark.parametrize("tags", [[("peer.port", "http")], [("peer.port", 0)], [("peer.ipv4", "localhost")]])
def test_peer_tags_that_say_no_address_are_only_tags(decode: Decode, tags: Tags) -> None:
    span = one_span(decode, Sent(tags=tags))
    assert (span.remote, span.attributes) == (Endpoint(), dict(tags))


@pytest.mark.parametrize("duration_us", [0, -5])
def test_a_zero_or_negative_duration_is_kept_as_it_was_sent(decode: Decode, duration_us: int) -> None:
    assert one_span(decode, Sent(duration_us=duration_us)).duration_ns == duration_us * US


def test_a_start_that_was_not_set_is_absent(decode: Decode) -> None:
    assert one_span(decode, Sent(start_us=0)).start_ns is None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (Sent(trace_id=bytes(16)), "invalid_trace_id"),
        (Sent(span_id=bytes(8)), "invalid_span_id"),
    ],
)
def test_a_span_with_a_zero_id_is_rejected_and_its_neighbours_kept(decode: Decode, sent: Sent, reason: str) -> None:
    decoded = decode(Sent(span_id=a_span_id(5)), sent, Sent(span_id=a_span_id(6)))

    assert [span.span_id for span in spans_of(decoded)] == [a_span_id(5), a_span_id(6)]
    assert decoded.rejected == {reason: 1}
    assert "spans[1]" in decoded.message


def test_a_span_is_found_by_every_tag_that_it_shows(decode: Decode) -> None:
    decoded = decode(Sent(tags=[("n", 500), ("ok", True)], logs=[(START_US, [("event", "e"), ("x", 1.5)])]))
    (span,) = spans_of(decoded)
    columns, again = decoded.columns, SpanColumns()
    again.append(span)
    assert isinstance(columns, SpanColumns)
    assert sorted(columns.tokens) == sorted(again.tokens)
    assert columns.attribute_keys == again.attribute_keys
    assert text_of(span.attributes["n"]) == "500"


def test_a_batch_of_no_spans_is_fine(decode: Decode) -> None:
    assert len(decode().columns) == 0


VALUES = st.one_of(
    st.text(max_size=5),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
)
TAGS = st.lists(st.tuples(st.text(max_size=3), VALUES), max_size=4)
REFERENCES = st.tuples(
    st.sampled_from([CHILD_OF, FOLLOWS_FROM]),
    st.integers(2, 3).map(a_trace_id),  # within its own trace Thrift's parent and a reference may contradict
    st.integers(1, 5).map(a_span_id),
)
SPANS = st.builds(
    Sent,
    tags=TAGS,
    logs=st.lists(st.tuples(st.integers(1, 2**50), TAGS), max_size=2),
    references=st.lists(REFERENCES, max_size=3),
    parent=st.integers(0, 3).map(a_span_id),
    name=st.text(max_size=5),
    flags=st.integers(0, 2**31 - 1),
    start_us=st.integers(0, 2**50),
    duration_us=st.integers(-(2**50), 2**50),
)


@given(st.lists(SPANS, max_size=3), TAGS, st.text(max_size=3))
def test_every_form_of_a_batch_gives_the_same_columns(spans: list[Sent], process: Tags, service: str) -> None:
    batches = [
        decode(*spans, service=service, process=process).columns.to_batch(0).records for decode in FORMS.values()
    ]
    assert [batch.to_pylist() for batch in batches] == [batches[0].to_pylist()] * len(FORMS)
