"""Which decoder a body gets: by path and content type (zipkin.md 1.1), unless the body says otherwise (2.8)."""

import gzip
from collections.abc import Callable

import pytest

from collector.decode.decoded import Decoded
from collector.decode.zipkin_formats import ZipkinFormat
from collector.receivers.http_body import BodyLimits
from collector.receivers.zipkin_http import ZipkinHttpReceiver
from tests.collector.asgi import Answer, post
from tests.collector.rig import Rig, spans_of

LIMITS = BodyLimits(wire_bytes=10_000, inflated_bytes=10_000)
V1, V2 = "/api/v1/spans", "/api/v2/spans"
JSON, THRIFT, PROTOBUF = "application/json", "application/x-thrift", "application/x-protobuf"

BARE_JSON = b'[{"traceId":"a","id":"b"}]'
V1_JSON = b'[{"traceId":"a","id":"b","annotations":[],"binaryAnnotations":[]}]'
V2_JSON = b'[{"traceId":"a","id":"b","localEndpoint":{"serviceName":"shop"}}]'
THRIFT_LIST = b"\x0c\x00\x00\x00\x01\x00"
PROTO_LIST = b"\x0a\x08\x0a\x02\x00\x0a\x1a\x02\x00\x0b"


class Posting:
    """A receiver whose decoders remember that they were asked."""

    def __init__(self, rig: Rig) -> None:
        self.decoded_as: list[ZipkinFormat] = []
        self.mistakes: list[tuple[ZipkinFormat, ZipkinFormat, str, str]] = []
        decoders = {known: self._remembering(known) for known in ZipkinFormat}
        self.receiver = ZipkinHttpReceiver(
            rig.intake, LIMITS, decoders, mistaken=lambda *mistake: self.mistakes.append(mistake)
        )

    async def post(self, path: str, body: bytes, **headers: str) -> Answer:
        return await post(self.receiver, path, body, method="POST", with_length=True, **headers)

    def _remembering(self, known: ZipkinFormat) -> Callable[[bytes], Decoded]:
        def decode(_payload: bytes) -> Decoded:
            self.decoded_as.append(known)
            return Decoded(spans_of("shop", 1))

        return decode


@pytest.mark.parametrize(
    ("path", "content_type", "body", "expected"),
    [
        (V2, JSON, V2_JSON, "JSON_V2"),
        (V2, "application/json; charset=utf-8", V2_JSON, "JSON_V2"),
        (V2, "", V2_JSON, "JSON_V2"),
        (V2, "text/plain", V2_JSON, "JSON_V2"),
        (V2, PROTOBUF, PROTO_LIST, "PROTO3"),
        (V1, JSON, V1_JSON, "JSON_V1"),
        (V1, "", V1_JSON, "JSON_V1"),
        (V1, "text/plain", V1_JSON, "JSON_V1"),
        (V1, THRIFT, THRIFT_LIST, "THRIFT"),
        (V1, JSON, BARE_JSON, "JSON_V1"),
        (V2, JSON, BARE_JSON, "JSON_V2"),
    ],
)
async def test_a_body_is_decoded_as_its_path_and_content_type_say(
    path: str, content_type: str, body: bytes, expected: str
) -> None:
    async with Rig() as rig:
        posting = Posting(rig)
        headers = {"content_type": content_type} if content_type else {}
        assert (await posting.post(path, body, **headers)).status == 202
        assert posting.decoded_as == [expected]
        assert posting.mistakes == []


@pytest.mark.parametrize(
    ("path", "content_type", "body", "declared", "actual"),
    [
        (V1, JSON, V2_JSON, "JSON_V1", "JSON_V2"),
        (V2, JSON, V1_JSON, "JSON_V2", "JSON_V1"),
        (V2, JSON, PROTO_LIST, "JSON_V2", "PROTO3"),
        (V2, "", THRIFT_LIST, "JSON_V2", "THRIFT"),
        (V2, PROTOBUF, V2_JSON, "PROTO3", "JSON_V2"),
        (V2, PROTOBUF, V1_JSON, "PROTO3", "JSON_V1"),
        (V1, THRIFT, V1_JSON, "THRIFT", "JSON_V1"),
        (V1, PROTOBUF, PROTO_LIST, "JSON_V1", "PROTO3"),
    ],
)
async def test_a_body_of_another_format_is_decoded_for_what_it_is_and_the_mistake_is_told(
    path: str, content_type: str, body: bytes, declared: str, actual: str
) -> None:
    async with Rig() as rig:
        posting = Posting(rig)
        assert (await posting.post(path, body, content_type=content_type)).status == 202
        assert posting.decoded_as == [actual]
        assert [(mistake[0], mistake[1], mistake[2]) for mistake in posting.mistakes] == [(declared, actual, path)]


async def test_a_body_under_a_prefix_is_decoded_by_the_end_of_its_path() -> None:
    # a mesh lost its spans by a collectorEndpoint of /zipkin/api/v1/spans with v2 bodies
    async with Rig() as rig:
        posting = Posting(rig)
        assert (await posting.post("/x/y/api/v1/spans", V1_JSON)).status == 202
        assert (await posting.post("/zipkin/api/v1/spans", V2_JSON)).status == 202
        assert (await posting.post("/zipkin/api/v2/spans/", V2_JSON)).status == 202
        assert posting.decoded_as == ["JSON_V1", "JSON_V2", "JSON_V2"]
        assert [mistake[2] for mistake in posting.mistakes] == ["/zipkin/api/v1/spans"]


@pytest.mark.parametrize("body", [b"", b"[]"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize(("path", "content_type"), [(V2, JSON), (V2, PROTOBUF), (V1, JSON), (V1, THRIFT)])
async def test_an_empty_body_is_answered_202_on_every_path_without_a_decoder(
    path: str, content_type: str, coding: str, body: bytes
) -> None:
    async with Rig() as rig:
        posting = Posting(rig)
        sent = gzip.compress(body) if coding == "gzip" and body else body
        answer = await posting.post(path, sent, content_type=content_type, content_encoding=coding)
        assert answer.status == 202
        assert posting.decoded_as == []


async def test_a_gzip_body_is_looked_at_when_it_is_inflated() -> None:
    async with Rig() as rig:
        posting = Posting(rig)
        await posting.post(V1, gzip.compress(V2_JSON), content_type=JSON, content_encoding="gzip")
        assert posting.decoded_as == ["JSON_V2"]
