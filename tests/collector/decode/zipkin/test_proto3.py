"""Zipkin v2 protobuf: the rules of zipkin.md 2.5, by messages of Zipkin's own definition, and hostile bodies."""

import contextlib
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.proportions import LARGE_BYTES, PARTS_MAX
from collector.decode.zipkin_proto3 import decode
from collector.errors import MalformedPayload
from storage.ids import SpanId
from storage.span import Endpoint, Event, Span, SpanKind, StatusCode
from tests.collector.decode.zipkin import reading
from tests.collector.decode.zipkin.v1_reading import spans_of
from wire import zipkin_pb2 as zipkin

_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
IDS: dict[str, Any] = {"trace_id": (10).to_bytes(8, "big"), "id": (11).to_bytes(8, "big")}


def body_of(*spans: zipkin.Span) -> bytes:
    return bytes(zipkin.ListOfSpans(spans=spans).SerializeToString())


def span_with(**fields: Any) -> Span:
    """The one span of a list whose span has IDS and these fields."""
    (span,) = spans_of(body_of(zipkin.Span(**(IDS | fields))), decode)
    return span


def framed(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size = len(content)
    written = bytearray([number << 3 | 2])
    while size > 0x7F:
        written.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*written, size]) + content


RAW_IDS = b"\x0a\x08" + IDS["trace_id"] + b"\x1a\x08" + IDS["id"]


def refusal(payload: bytes) -> str:
    with pytest.raises(MalformedPayload) as caught:
        decode(payload)
    return str(caught.value)


def test_a_span_reads_back_whole() -> None:
    span = span_with(
        trace_id=bytes.fromhex("463ac35c9f6413ad48485a3953bb6124"),
        parent_id=(12).to_bytes(8, "big"),
        kind=zipkin.Span.CLIENT,
        name="GET",
        timestamp=1_472_470_996_199_000,
        duration=207_000,
        local_endpoint=zipkin.Endpoint(service_name="Shop", ipv4=bytes([10, 0, 0, 1]), port=8080),
        remote_endpoint=zipkin.Endpoint(service_name="bank", ipv6=bytes.fromhex("20010db8") + bytes(11) + b"\1"),
        annotations=[zipkin.Annotation(timestamp=1_472_470_996_238_000, value="ws")],
        tags={"http.path": "/api", "error": ""},
        debug=True,
    )
    assert span.trace_id.hex() == "463ac35c9f6413ad48485a3953bb6124"
    assert (span.span_id[-1], span.parent_span_id) == (11, SpanId((12).to_bytes(8, "big")))
    assert (span.name, span.service, span.kind, span.debug) == ("get", "shop", SpanKind.CLIENT, True)
    assert (span.start_ns, span.duration_ns) == (1_472_470_996_199_000_000, 207_000_000)
    assert (span.local, span.remote) == (
        Endpoint(ipv4="10.0.0.1", port=8080),
        Endpoint(service="bank", ipv6="2001:db8::1"),
    )
    assert span.events == (Event(1_472_470_996_238_000_000, "ws"),)
    assert (span.attributes, span.status_code) == ({"http.path": "/api", "error": ""}, StatusCode.ERROR)


def test_shared_is_kept_of_servers_and_dropped_of_clients() -> None:
    assert span_with(kind=zipkin.Span.SERVER, shared=True).shared
    assert not span_with(kind=zipkin.Span.CLIENT, shared=True).shared


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, "UNSPECIFIED"),
        (1, "CLIENT"),
        (2, "SERVER"),
        (3, "PRODUCER"),
        (4, "CONSUMER"),
        (5, "UNSPECIFIED"),
        (-1, "UNSPECIFIED"),
    ],
)
def test_kinds_that_zipkin_does_not_know_are_ignored(number: int, kind: str) -> None:
    assert span_with(kind=number).kind.name == kind


def test_a_parent_of_zeros_is_none() -> None:
    assert span_with(parent_id=bytes(8)).parent_span_id is None


def test_annotations_without_a_time_or_a_value_are_dropped() -> None:
    annotations = [
        zipkin.Annotation(timestamp=5),
        zipkin.Annotation(value="a"),
        zipkin.Annotation(timestamp=5, value="b"),
    ]
    assert [event.name for event in span_with(annotations=annotations).events] == ["b"]


def test_tags_without_a_key_are_dropped_and_those_without_a_value_are_empty() -> None:
    tags = framed(11, b"\x12\x01v") + framed(11, b"\x0a\x01k") + framed(11, b"")
    (span,) = spans_of(framed(1, RAW_IDS + tags), decode)
    assert span.attributes == {"k": ""}


def test_times_beyond_int64_are_absent() -> None:
    span = span_with(timestamp=2**64 - 1, duration=2**63)
    assert (span.start_ns, span.duration_ns) == (None, None)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (bytes(10) + b"\xff\xff\x01\x02\x03\x04", Endpoint(ipv4="1.2.3.4")),
        (bytes(12) + b"\x01\x02\x03\x04", Endpoint(ipv4="1.2.3.4")),
        (bytes(10) + b"\xff\xef\x01\x02\x03\x04", Endpoint(ipv6="::ffef:102:304")),
        (bytes(15) + b"\x01", Endpoint(ipv6="::1")),
        (bytes(15) + b"\x02", Endpoint(ipv6="::2")),
        (b"\x01\x02\x03", Endpoint()),
        (b"\x01\x02\x03\x04", Endpoint(ipv4="1.2.3.4")),
    ],
)
def test_addresses_are_read_by_their_bytes_in_either_field(raw: bytes, address: Endpoint) -> None:
    assert span_with(local_endpoint=zipkin.Endpoint(ipv6=raw)).local == address
    assert span_with(local_endpoint=zipkin.Endpoint(ipv4=raw)).local == address


def test_text_that_is_not_utf_8_has_replacements() -> None:
    # Envoy sends header values as they came; protobuf itself would refuse all of the list.
    tag = framed(11, framed(1, b"user_agent") + framed(2, b"caf\xe9"))
    (span,) = spans_of(framed(1, RAW_IDS + framed(5, b"caf\xe9") + tag), decode)
    assert (span.name, span.attributes) == ("caf\ufffd", {"user_agent": "caf\ufffd"})


def test_unknown_fields_are_skipped() -> None:
    unknown = framed(15, b"x") + b"\xa0\x01\x05" + b"\xa1\x01" + bytes(8) + b"\xa5\x01" + bytes(4)
    assert len(spans_of(framed(1, RAW_IDS + unknown) + unknown[:3], decode)) == 1


def test_an_empty_body_is_no_spans() -> None:
    assert spans_of(b"", decode) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trace_id": b""}, "Missing : traceId"),
        ({"id": b""}, "Missing : id"),
        ({"trace_id": b"", "id": b""}, "Missing : traceId id"),
        ({"trace_id": bytes(8)}, "traceId is all zeros"),
        ({"id": bytes(8)}, "id is all zeros"),
        ({"trace_id": b"\1" * 17}, "traceId.length > 32"),
        ({"trace_id": b"\1" * 33}, "Expected at most 32 bytes, got 33"),
        ({"id": b"\1" * 9}, "id.length > 16"),
        ({"local_endpoint": zipkin.Endpoint(port=65536)}, "invalid port 65536"),
    ],
)
def test_a_span_that_breaks_a_rule_refuses_the_list_and_is_named(fields: dict[str, Any], said: str) -> None:
    text = refusal(body_of(zipkin.Span(**IDS), zipkin.Span(**(IDS | fields))))
    assert text.startswith(f"{said} reading List<Span> from proto3, at $[1]")


@pytest.mark.parametrize("payload", [b"\x0a", b"\x0a\x00", b"[", b"\x01\x02\x03\x04"])
def test_what_is_no_list_is_refused_as_zipkin_does(payload: bytes) -> None:
    # zipkin.md 9: the one byte 0x0a was a 500
    assert refusal(payload) == "Expected a PROTO3 encoded list\n"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x0a\x42" + RAW_IDS, id="longer than it is"),
        pytest.param(framed(1, RAW_IDS[:-1]), id="cut inside an id"),
        *(pytest.param(framed(1, RAW_IDS) + bytes([8 | wire]), id=f"wire type {wire}") for wire in (3, 4, 6, 7)),
        pytest.param(framed(1, RAW_IDS + bytes([0xFE, 1])), id="wire type 6 in a span"),
        pytest.param(framed(1, RAW_IDS) + b"\xff" * 11, id="an endless number"),
    ],
)
def test_what_is_no_protobuf_is_malformed(payload: bytes) -> None:
    text = refusal(payload)
    assert text.startswith("Malformed")
    assert "reading List<Span> from proto3" in text


def test_millions_of_empty_spans_are_refused_early() -> None:
    payload = framed(1, RAW_IDS) + b"\x0a\x00" * (4 * 2**20)
    tracemalloc.start()
    assert refusal(payload).startswith("Missing : traceId id")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < len(payload)


def test_thousands_of_spans_with_next_to_no_ids_are_refused() -> None:
    payload = framed(1, b"\x0a\x01\x01\x1a\x01\x01") * 10_000
    assert refusal(payload).startswith("Expected spans with ids, got 4096 of them")


def test_a_span_of_millions_of_empty_tags_is_refused() -> None:
    payload = framed(1, RAW_IDS + b"\x5a\x00" * (4 * 2**20))
    assert f"at most {PARTS_MAX} fields" in refusal(payload)


def test_a_large_span_is_taken() -> None:
    span = span_with(tags={"prompt": "x" * (4 * LARGE_BYTES)})
    assert len(str(span.attributes["prompt"])) == 4 * LARGE_BYTES


def test_a_long_list_is_taken_in_order() -> None:
    spans = [zipkin.Span(**(IDS | {"name": str(number)})) for number in range(20_000)]
    assert [span.name for span in spans_of(body_of(*spans), decode)] == [str(number) for number in range(20_000)]


_ENVOY = [f"envoy-zipkin-proto-000{number}.bin" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("name", _ENVOY)
def test_envoys_body_reads_as_protobuf_itself_reads_it(name: str) -> None:
    payload = reading.captured(name)
    expected = zipkin.ListOfSpans.FromString(payload).spans
    found = spans_of(payload, decode)
    assert [span.name for span in found] == [span.name for span in expected]
    assert [span.attributes for span in found] == [dict(span.tags) for span in expected]
    assert [span.span_id for span in found] == [span.id for span in expected]
    assert [span.trace_id for span in found] == [span.trace_id.rjust(16, b"\0") for span in expected]
    assert [span.start_ns for span in found] == [span.timestamp * 1000 for span in expected]
    assert [span.service for span in found] == [span.local_endpoint.service_name for span in expected]
    assert [len(span.events) for span in found] == [len(span.annotations) for span in expected]


_CAPTURED = reading.captured(_ENVOY[0])


@_untimed
@given(st.lists(st.tuples(st.integers(0, len(_CAPTURED) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_envoys_body_ends_in_spans_or_a_refusal_when_bytes_are_changed(changes: list[tuple[int, int]]) -> None:
    payload = bytearray(_CAPTURED)
    for place, byte in changes:
        payload[place] = byte
    with contextlib.suppress(MalformedPayload):
        spans_of(bytes(payload), decode)


@_untimed
@given(st.binary(max_size=200))
def test_any_bytes_end_in_spans_or_a_refusal(rest: bytes) -> None:
    for payload in (rest, b"\x0a" + rest):
        with contextlib.suppress(MalformedPayload):
            spans_of(payload, decode)
