"""What a body is, whatever was said of it: the cases of zipkin.md 2.8, and where the declared format stands."""

import json

import pytest

from collector.decode.zipkin_formats import DECODERS, ZipkinFormat, format_of
from tests.collector.decode.zipkin.reading import captured
from tests.collector.decode.zipkin.test_thrift_v1 import IDS as THRIFT_IDS
from tests.collector.decode.zipkin.test_thrift_v1 import STOP, list_of
from wire import zipkin_pb2 as zipkin

JSON_V1, JSON_V2, THRIFT, PROTO3 = ZipkinFormat
HOST = {"serviceName": "shop"}


def json_with(**members: object) -> bytes:
    return json.dumps([{"traceId": "a", "id": "b", **members}]).encode()


def proto_of_size(size: int) -> bytes:
    """A list of one span that takes so many bytes."""
    span = zipkin.Span(trace_id=b"\1" * 16, id=b"\1" * 8)
    span.name = "n" * (size - len(span.SerializeToString()) - 2)
    body = bytes(zipkin.ListOfSpans(spans=[span]).SerializeToString())
    assert body[1] == size
    return body


V1_LIST = json_with(annotations=[{"timestamp": 1, "value": "cs", "endpoint": HOST}])


@pytest.mark.parametrize("declared", ZipkinFormat)
@pytest.mark.parametrize(
    ("body", "actual"),
    [
        pytest.param(V1_LIST, JSON_V1, id="v1 annotations"),
        pytest.param(json_with(binaryAnnotations=[]), JSON_V1, id="v1 binary annotations"),
        pytest.param(json_with(localEndpoint=HOST), JSON_V2, id="v2 with only a local endpoint"),
        pytest.param(json_with(remoteEndpoint=HOST), JSON_V2, id="v2 with only a remote endpoint"),
        pytest.param(json_with(tags={}), JSON_V2, id="v2 with only tags"),
        pytest.param(b"\xef\xbb\xbf \r\n" + json_with(tags={}), JSON_V2, id="v2 behind white space"),
        pytest.param(captured("envoy-zipkin-json-0001.json"), JSON_V2, id="envoy's JSON"),
        pytest.param(captured("envoy-zipkin-proto-0001.bin"), PROTO3, id="envoy's protobuf"),
        pytest.param(proto_of_size(91), PROTO3, id="protobuf that begins with a bracket"),
        pytest.param(proto_of_size(32), PROTO3, id="protobuf that begins with white space"),
        pytest.param(list_of(THRIFT_IDS + STOP), THRIFT, id="thrift"),
        pytest.param(list_of(THRIFT_IDS + STOP, kind=11), THRIFT, id="thrift of an old reporter"),
    ],
)
def test_a_body_is_known_whatever_was_declared(declared: ZipkinFormat, body: bytes, actual: ZipkinFormat) -> None:
    assert format_of(body, declared) is actual
    DECODERS[actual](body)


@pytest.mark.parametrize(
    ("declared", "taken_as"), [(JSON_V1, JSON_V1), (JSON_V2, JSON_V2), (THRIFT, JSON_V2), (PROTO3, JSON_V2)]
)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json_with(name="get"), id="ids and a name only"),
        pytest.param(json_with(tags={"binaryAnnotations": "x"}), id="a tag named like v1"),
    ],
)
def test_a_list_of_either_version_is_of_the_declared_one(
    declared: ZipkinFormat, taken_as: ZipkinFormat, body: bytes
) -> None:
    assert format_of(body, declared) is taken_as


@pytest.mark.parametrize("declared", ZipkinFormat)
@pytest.mark.parametrize("body", [b"h", b"{}", b'{"traceId":"a"}', b"\x0a", b"\x0a\x00", b"\x0c", b"\x01\x02\x03\x04"])
def test_what_nobody_knows_stays_what_was_declared(declared: ZipkinFormat, body: bytes) -> None:
    assert format_of(body, declared) is declared


def test_a_tag_named_like_v1_does_not_make_v1_of_a_v2_list() -> None:
    assert format_of(json_with(tags={"endpoint": "x"}, localEndpoint=HOST), JSON_V2) is JSON_V2
