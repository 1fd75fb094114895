"""Spans of Zipkin v1 JSON: what a list of them looks like, not yet checked, and the v1 model's span of one."""

from msgspec import Struct

from collector.decode.zipkin_span import RefusedSpanError, WireEndpoint
from collector.decode.zipkin_v1_span import (
    V1Annotation,
    V1BinaryAnnotation,
    V1Span,
    address_of_host,
    endpoint_of,
    id_number,
    trace_id_halves,
    v1_span,
)

_INT64_MAX = 2**63 - 1
_INT64_MIN = -(2**63)


class JsonV1Annotation(Struct, gc=False):
    timestamp: int
    value: str
    endpoint: WireEndpoint | None = None


class JsonV1BinaryAnnotation(Struct, gc=False):
    """A value that is neither text nor true says nothing: Zipkin never wrote others to its stores."""

    key: str
    value: str | bool | int | float | None = None
    endpoint: WireEndpoint | None = None


class JsonV1Span(Struct, rename="camel", gc=False):
    """Ids are the text that was sent. `timestamp` (epoch) and `duration` are microseconds and may be any number."""

    trace_id: str
    id: str
    parent_id: str | None = None
    name: str | None = None
    timestamp: int | None = None
    duration: int | None = None
    annotations: list[JsonV1Annotation] | None = None
    binary_annotations: list[JsonV1BinaryAnnotation] | None = None
    debug: bool | None = None


def v1_of(wire: JsonV1Span) -> V1Span:
    """The span in the v1 model. RefusedSpanError, without a place, when it breaks a rule."""
    span = v1_span(
        *trace_id_halves(wire.trace_id),
        id_number(wire.id),
        0 if wire.parent_id is None else id_number(wire.parent_id),
    )
    span.name = wire.name
    span.timestamp = _long(wire.timestamp or 0)
    span.duration = _long(wire.duration or 0)
    span.debug = bool(wire.debug)
    span.annotations = [
        V1Annotation(_long(annotation.timestamp), annotation.value, endpoint_of(annotation.endpoint))
        for annotation in wire.annotations or ()
    ]
    span.binary_annotations = [
        found for annotation in wire.binary_annotations or () if (found := _binary_of(annotation)) is not None
    ]
    return span


def _binary_of(wire: JsonV1BinaryAnnotation) -> V1BinaryAnnotation | None:
    endpoint = endpoint_of(wire.endpoint)
    if isinstance(wire.value, str):
        return V1BinaryAnnotation(wire.key, wire.value, endpoint)
    return address_of_host(wire.key, endpoint) if wire.value is True else None


def _long(number: int) -> int:
    if not _INT64_MIN <= number <= _INT64_MAX:
        raise RefusedSpanError(f"Expected a long but was {number}")
    return number
