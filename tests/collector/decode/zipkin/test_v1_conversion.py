"""One v1 span to its v2 spans: the cases of zipkin.md 2.9, with times in microseconds from nowhere."""

from typing import Any

import pytest

from collector.decode.zipkin_span import RefusedSpanError, WireSpan
from collector.decode.zipkin_v1_conversion import MAX_SERVICES_PER_SPAN, v2_spans
from collector.decode.zipkin_v1_span import V1Annotation, V1BinaryAnnotation, V1Endpoint, V1Span

SHOP = V1Endpoint("shop", "10.0.0.1", None, 8080)
BANK = V1Endpoint("bank", "10.0.0.2", None, 9000)
QUEUE = V1Endpoint("queue")


def at(timestamp: int, value: str, endpoint: V1Endpoint | None = SHOP) -> V1Annotation:
    return V1Annotation(timestamp, value, endpoint)


def tag(key: str, value: str, endpoint: V1Endpoint | None = SHOP) -> V1BinaryAnnotation:
    return V1BinaryAnnotation(key, value, endpoint)


def address(key: str, endpoint: V1Endpoint) -> V1BinaryAnnotation:
    return V1BinaryAnnotation(key, None, endpoint)


def converted(*parts: V1Annotation | V1BinaryAnnotation, timestamp: int = 0, duration: int = 0) -> list[dict[str, Any]]:
    """What is there of each v2 span beside ids and name: kind, times, hosts by name, annotations, tags, shared."""
    span = V1Span(
        "000000000000000a",
        "000000000000000b",
        name="get",
        timestamp=timestamp,
        duration=duration,
        annotations=[part for part in parts if isinstance(part, V1Annotation)],
        binary_annotations=[part for part in parts if isinstance(part, V1BinaryAnnotation)],
    )
    spans = v2_spans(span)
    assert {(found.trace_id, found.id, found.name) for found in spans} == {
        ("000000000000000a", "000000000000000b", "get")
    }
    return [_shown(found) for found in spans]


def _shown(span: WireSpan) -> dict[str, Any]:
    shown = {
        "kind": span.kind,
        "timestamp": span.timestamp,
        "duration": span.duration,
        "local": span.local_endpoint and span.local_endpoint.service_name,
        "remote": span.remote_endpoint
        and (span.remote_endpoint.service_name or f"{span.remote_endpoint.ipv4}:{span.remote_endpoint.port}"),
        "annotations": [(annotation.timestamp, annotation.value) for annotation in span.annotations or ()],
        "tags": span.tags,
        "shared": span.shared,
    }
    return {name: value for name, value in shown.items() if value}


def test_a_whole_client_is_a_client_with_its_annotations_and_the_server_as_remote() -> None:
    assert converted(
        *(at(10, "cs"), at(20, "ws"), at(30, "wr"), at(40, "cr")),
        *(tag("http.path", "/api"), address("sa", BANK)),
        timestamp=10,
        duration=30,
    ) == [
        {
            "kind": "CLIENT",
            "timestamp": 10,
            "duration": 30,
            "local": "shop",
            "remote": "bank",
            "annotations": [(20, "ws"), (30, "wr")],
            "tags": {"http.path": "/api"},
        }
    ]


def test_a_client_that_has_not_ended_has_no_duration() -> None:
    assert converted(at(10, "cs"), at(20, "ws"), timestamp=10) == [
        {"kind": "CLIENT", "timestamp": 10, "local": "shop", "annotations": [(20, "ws")]}
    ]


def test_a_late_client_receive_keeps_its_annotation_and_has_no_timestamp() -> None:
    assert converted(at(40, "cr"), address("sa", BANK)) == [
        {"kind": "CLIENT", "local": "shop", "remote": "bank", "annotations": [(40, "cr")]}
    ]


def test_a_lone_server_address_is_a_remote_without_a_kind() -> None:
    assert converted(address("sa", BANK)) == [{"remote": "bank"}]


def test_a_local_span_with_a_server_address_has_both_hosts_and_no_kind() -> None:
    assert converted(tag("lc", ""), address("sa", BANK), timestamp=10, duration=30) == [
        {"timestamp": 10, "duration": 30, "local": "shop", "remote": "bank"}
    ]


def test_a_whole_server_is_a_server_with_the_client_as_remote() -> None:
    assert converted(
        *(at(10, "sr", BANK), at(40, "ss", BANK), tag("http.path", "/api", BANK), address("ca", SHOP)),
        timestamp=10,
        duration=30,
    ) == [
        {
            "kind": "SERVER",
            "timestamp": 10,
            "duration": 30,
            "local": "bank",
            "remote": "shop",
            "tags": {"http.path": "/api"},
        }
    ]


def test_finagles_server_shares_its_span_and_keeps_the_port_of_the_clients_socket() -> None:
    socket = SHOP._replace(port=63840)
    (span,) = v2_spans(
        V1Span(
            "0a",
            "0b",
            annotations=[at(10, "sr", BANK), at(15, "Gc(9,0.PSScavenge)", BANK), at(40, "ss", BANK)],
            binary_annotations=[
                tag("srv/finagle.version", "6.28.0", BANK._replace(port=None)),
                address("sa", BANK),
                address("ca", socket),
            ],
        )
    )
    assert _shown(span) == {
        "kind": "SERVER",
        "timestamp": 10,
        "duration": 30,
        "local": "bank",
        "remote": "shop",
        "annotations": [(15, "Gc(9,0.PSScavenge)")],
        "tags": {"srv/finagle.version": "6.28.0"},
        "shared": True,
    }
    assert span.remote_endpoint is not None
    assert span.remote_endpoint.port == 63840


def test_a_span_without_endpoints_is_bare() -> None:
    assert converted(timestamp=10, duration=30) == [{"timestamp": 10, "duration": 30}]


def test_a_core_annotation_without_an_endpoint_is_only_an_annotation() -> None:
    assert converted(at(10, "sr", None), timestamp=10) == [{"timestamp": 10, "annotations": [(10, "sr")]}]


def test_a_server_without_a_time_of_its_own_is_taken_to_share_its_span() -> None:
    assert converted(at(10, "sr", BANK), at(40, "ss", BANK)) == [
        {"kind": "SERVER", "timestamp": 10, "duration": 30, "local": "bank", "shared": True}
    ]


def test_a_server_that_only_received_and_has_no_time_shares_its_span() -> None:
    assert converted(at(10, "sr", BANK)) == [{"kind": "SERVER", "timestamp": 10, "local": "bank", "shared": True}]


def test_a_server_that_only_received_and_has_its_own_time_does_not_share() -> None:
    assert converted(at(10, "sr", BANK), timestamp=10) == [{"kind": "SERVER", "timestamp": 10, "local": "bank"}]


def test_a_late_server_send_keeps_its_annotation() -> None:
    assert converted(at(40, "ss", BANK), address("ca", SHOP)) == [
        {"kind": "SERVER", "local": "bank", "remote": "shop", "annotations": [(40, "ss")]}
    ]


def test_a_lone_client_address_makes_a_server() -> None:
    assert converted(address("ca", SHOP)) == [{"kind": "SERVER", "remote": "shop"}]


def test_the_local_component_names_the_host_and_is_no_tag() -> None:
    assert converted(tag("lc", ""), timestamp=10, duration=30) == [{"timestamp": 10, "duration": 30, "local": "shop"}]


def test_a_local_component_with_a_value_is_a_tag() -> None:
    assert converted(tag("lc", "framework")) == [{"local": "shop", "tags": {"lc": "framework"}}]


def test_a_message_sent_is_a_producer_with_the_broker_as_remote() -> None:
    assert converted(at(10, "ms"), address("ma", QUEUE), timestamp=10) == [
        {"kind": "PRODUCER", "timestamp": 10, "local": "shop", "remote": "queue"}
    ]


def test_a_producer_lasts_until_the_message_was_written() -> None:
    expected = [{"kind": "PRODUCER", "timestamp": 10, "duration": 51, "local": "shop"}]
    assert converted(at(10, "ms"), at(61, "ws"), timestamp=10, duration=51) == expected
    assert converted(at(10, "ms"), at(61, "ws")) == expected


def test_a_producer_without_a_timestamp_takes_that_of_its_annotation() -> None:
    assert converted(at(10, "ms")) == [{"kind": "PRODUCER", "timestamp": 10, "local": "shop"}]


def test_a_message_received_is_a_consumer() -> None:
    assert converted(at(10, "mr"), timestamp=10) == [{"kind": "CONSUMER", "timestamp": 10, "local": "shop"}]


def test_a_consumer_has_the_broker_as_remote() -> None:
    assert converted(at(10, "mr"), address("ma", QUEUE)) == [
        {"kind": "CONSUMER", "timestamp": 10, "local": "shop", "remote": "queue"}
    ]


def test_a_consumer_lasts_from_when_the_message_was_read() -> None:
    expected = [{"kind": "CONSUMER", "timestamp": 10, "duration": 51, "local": "shop"}]
    assert converted(at(10, "wr"), at(61, "mr")) == expected
    assert converted(at(10, "wr"), at(61, "mr"), timestamp=10, duration=51) == expected


def test_both_sides_of_a_call_in_one_span_become_two_with_their_own_tags_and_remotes() -> None:
    assert converted(
        *(at(10, "cs"), at(12, "ws"), at(20, "sr", BANK), at(30, "ss", BANK), at(38, "wr"), at(40, "cr")),
        *(tag("http.path", "/api"), tag("http.path", "/bank", BANK)),
        *(tag("clnt", "1"), tag("srv", "2", BANK), address("ca", SHOP), address("sa", BANK)),
        timestamp=10,
        duration=30,
    ) == [
        {
            "kind": "CLIENT",
            "timestamp": 10,
            "duration": 30,
            "local": "shop",
            "remote": "bank",
            "annotations": [(12, "ws"), (38, "wr")],
            "tags": {"http.path": "/api", "clnt": "1"},
        },
        {
            "kind": "SERVER",
            "timestamp": 20,
            "duration": 10,
            "local": "bank",
            "remote": "shop",
            "tags": {"http.path": "/bank", "srv": "2"},
            "shared": True,
        },
    ]


def test_a_service_that_calls_itself_becomes_two_spans() -> None:
    assert converted(at(10, "cs"), at(20, "sr"), at(30, "ss"), at(40, "cr"), timestamp=10, duration=30) == [
        {"kind": "CLIENT", "timestamp": 10, "duration": 30, "local": "shop"},
        {"kind": "SERVER", "timestamp": 20, "duration": 10, "local": "shop", "shared": True},
    ]


def test_a_service_that_calls_itself_one_way_becomes_two_spans_without_durations() -> None:
    assert converted(at(10, "cs"), at(20, "sr")) == [
        {"kind": "CLIENT", "timestamp": 10, "local": "shop"},
        {"kind": "SERVER", "timestamp": 20, "local": "shop", "shared": True},
    ]


@pytest.mark.parametrize(("end", "kind"), [("cr", "CLIENT"), ("ss", "SERVER")])
def test_a_start_that_a_bridge_left_out_is_that_of_the_span(end: str, kind: str) -> None:
    assert converted(at(40, end), timestamp=10, duration=30) == [
        {"kind": kind, "timestamp": 10, "duration": 30, "local": "shop"}
    ]


def test_a_client_send_at_the_end_of_the_span_leaves_the_spans_times() -> None:
    assert converted(at(40, "cs"), timestamp=10, duration=30) == [
        {"kind": "CLIENT", "timestamp": 10, "duration": 30, "local": "shop"}
    ]


def test_a_clients_link_to_itself_is_kept() -> None:
    # The linker corrects it when the server reports.
    assert converted(
        at(10, "cs"), at(40, "cr"), address("ca", SHOP), address("sa", SHOP), timestamp=10, duration=30
    ) == [{"kind": "CLIENT", "timestamp": 10, "duration": 30, "local": "shop", "remote": "shop"}]


def test_a_servers_link_to_itself_is_left_out() -> None:
    assert converted(
        at(10, "sr"), at(40, "ss"), address("ca", SHOP), address("sa", SHOP), timestamp=10, duration=30
    ) == [{"kind": "SERVER", "timestamp": 10, "duration": 30, "local": "shop"}]


def test_a_servers_client_of_its_own_name_keeps_the_socket_and_loses_the_name() -> None:
    client = SHOP._replace(service="bank")
    assert converted(at(10, "sr", BANK), at(40, "ss", BANK), address("ca", client), timestamp=10, duration=30) == [
        {"kind": "SERVER", "timestamp": 10, "duration": 30, "local": "bank", "remote": "10.0.0.1:8080"}
    ]


def test_both_sides_of_a_message_in_one_span_become_two_with_the_broker_between_them() -> None:
    assert converted(at(10, "ms"), at(20, "ws"), at(30, "wr", BANK), at(40, "mr", BANK), address("ma", QUEUE)) == [
        {"kind": "PRODUCER", "timestamp": 10, "duration": 10, "local": "shop", "remote": "queue"},
        {
            "kind": "CONSUMER",
            "timestamp": 30,
            "duration": 10,
            "local": "bank",
            "remote": "queue",
            "shared": True,
        },
    ]


def test_a_service_that_sends_itself_a_message_becomes_two_spans() -> None:
    assert converted(at(10, "ms"), at(20, "ws"), at(30, "wr"), at(40, "mr")) == [
        {"kind": "PRODUCER", "timestamp": 10, "duration": 10, "local": "shop"},
        {"kind": "CONSUMER", "timestamp": 30, "duration": 10, "local": "shop", "shared": True},
    ]


def test_both_addresses_alone_are_local_and_remote() -> None:
    assert converted(address("ca", SHOP), address("sa", BANK)) == [{"local": "shop", "remote": "bank"}]


def test_what_names_no_host_goes_to_the_first_span() -> None:
    assert converted(
        *(at(10, "foo"), at(20, "bar"), at(30, "baz", BANK), at(40, "orphan", None)),
        *(tag("a", "1"), tag("b", "2", BANK), tag("c", "3", None)),
    ) == [
        {"local": "shop", "annotations": [(10, "foo"), (20, "bar"), (40, "orphan")], "tags": {"a": "1", "c": "3"}},
        {"local": "bank", "annotations": [(30, "baz")], "tags": {"b": "2"}},
    ]


def test_a_servers_own_times_count_when_the_span_has_only_the_clients_timestamp() -> None:
    assert converted(at(20, "sr", BANK), at(30, "ss", BANK), timestamp=10) == [
        {"kind": "SERVER", "timestamp": 20, "duration": 10, "local": "bank", "shared": True}
    ]


@pytest.mark.parametrize(
    ("annotation", "key", "kind"), [("mr", "ma", "CONSUMER"), ("cs", "sa", "CLIENT"), ("sr", "ca", "SERVER")]
)
def test_an_address_with_a_text_for_true_is_an_address(annotation: str, key: str, kind: str) -> None:
    # zipkin-ruby wrote "1"
    (span,) = converted(at(10, annotation), tag(key, "1", BANK))
    assert (span["kind"], span["remote"]) == (kind, "bank")
    assert "tags" not in span


def test_an_address_key_without_an_endpoint_is_a_tag() -> None:
    assert converted(at(10, "cs"), tag("sa", "bank:80", None)) == [
        {"kind": "CLIENT", "timestamp": 10, "local": "shop", "tags": {"sa": "bank:80"}}
    ]


def test_annotations_are_read_in_the_order_of_time() -> None:
    assert converted(at(30, "later", BANK), at(10, "cs"), timestamp=10)[0]["local"] == "shop"


def test_hosts_of_one_service_are_one() -> None:
    assert len(converted(at(10, "cs"), at(20, "x", SHOP._replace(port=1)), at(40, "cr", SHOP._replace(ipv4=None)))) == 1


def test_debug_and_parent_go_to_every_span() -> None:
    spans = v2_spans(V1Span("0a", "0b", "0c", debug=True, annotations=[at(10, "cs"), at(20, "sr", BANK)]))
    assert [(span.parent_id, span.debug) for span in spans] == [("0c", True)] * 2


def test_a_span_shared_by_too_many_services_is_refused() -> None:
    crowd = [at(10, "x", V1Endpoint(f"service {number}")) for number in range(MAX_SERVICES_PER_SPAN + 1)]
    with pytest.raises(RefusedSpanError, match=f"at most {MAX_SERVICES_PER_SPAN} services"):
        converted(*crowd)
