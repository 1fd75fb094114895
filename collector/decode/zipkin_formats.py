"""The formats of a list of Zipkin spans: which one a body is in, whatever its path and content type said of it.

After zipkin2.SpanBytesDecoderDetector, but the declared format stands whenever the body does not contradict it.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from collector.decode import zipkin_json_v1, zipkin_json_v2, zipkin_proto3, zipkin_thrift_v1
from collector.decode.decoded import Decoded


class ZipkinFormat(StrEnum):
    """Named as Zipkin's decoders are."""

    JSON_V1 = "JSON_V1"
    JSON_V2 = "JSON_V2"
    THRIFT = "THRIFT"
    PROTO3 = "PROTO3"


DECODERS: Mapping[ZipkinFormat, Callable[[bytes], Decoded]] = {
    ZipkinFormat.JSON_V1: zipkin_json_v1.decode,
    ZipkinFormat.JSON_V2: zipkin_json_v2.decode,
    ZipkinFormat.THRIFT: zipkin_thrift_v1.decode,
    ZipkinFormat.PROTO3: zipkin_proto3.decode,
}

_JSON_LIST = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[[ \t\r\n]*[{\]]")
"""Not the bracket alone: a protobuf list whose first span takes 91 bytes begins with a line break and a bracket."""
_BRACKET = ord("[")
_V1_MARKS = (b'yAnnotations"', b'"endpoint"')
_V2_MARKS = (b'Endpoint"', b'"tags"')
_SEARCHED_BYTES = 256 * 1024
"""A list has one version: as far as this its marks are looked for."""
_THRIFT_FIRST_BYTES = (11, 12)
_THRIFT_LEAST_BYTES = 5
_PROTO3_FIRST_BYTE = 10


def format_of(body: bytes, declared: ZipkinFormat) -> ZipkinFormat:
    """The format this body is in; `declared` when nothing else is certain. body: not empty."""
    if body[0] == _BRACKET or _JSON_LIST.match(body):
        return _json_version(body, declared)
    if body[0] in _THRIFT_FIRST_BYTES and len(body) >= _THRIFT_LEAST_BYTES:
        return ZipkinFormat.THRIFT
    if body[0] == _PROTO3_FIRST_BYTE and len(body) > 1 and body[1]:
        return ZipkinFormat.PROTO3
    return declared


def _json_version(body: bytes, declared: ZipkinFormat) -> ZipkinFormat:
    """A list of bare ids is of either version; one with the marks of both has a tag that is named like a member.

    What v2 bodies hold is looked for first: real ones have it near their beginning.
    """
    is_v2 = _has_any(body, _V2_MARKS)
    if is_v2 and declared is not ZipkinFormat.JSON_V1:
        return ZipkinFormat.JSON_V2
    if is_v2 == _has_any(body, _V1_MARKS):
        return ZipkinFormat.JSON_V1 if declared is ZipkinFormat.JSON_V1 else ZipkinFormat.JSON_V2
    return ZipkinFormat.JSON_V2 if is_v2 else ZipkinFormat.JSON_V1


def _has_any(body: bytes, marks: tuple[bytes, ...]) -> bool:
    return any(body.find(mark, 0, _SEARCHED_BYTES) >= 0 for mark in marks)
