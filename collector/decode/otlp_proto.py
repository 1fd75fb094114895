"""OTLP protobuf (ExportTraceServiceRequest) -> columns: the hottest code of clew.

The compiled loops (`otlp_records`) take the usual request. One in which anything is odd takes the careful path, span by
span (`otlp_proto_spans`), which says what is right: for the spans that are not odd the outcome is the same.
"""

from functools import lru_cache

from google.protobuf.message import DecodeError

from collector.decode.decoded import Decoded, DecodedColumns
from collector.decode.otlp_attributes import (
    INVALID_SCHEMA_URL,
    INVALID_SCOPE_NAME,
    INVALID_SCOPE_VERSION,
    SanitizedPairs,
)
from collector.decode.otlp_fields import (
    Rejections,
    ResourceFields,
    ScopeFields,
    SpanRefused,
    resource_fields,
    scope_fields,
)
from collector.decode.otlp_proto_groups import SpanGroup, span_groups
from collector.decode.otlp_proto_spans import span_fields
from collector.decode.otlp_proto_values import sanitized
from collector.decode.otlp_records import OddRequest, records
from collector.decode.otlp_rows import append_span
from collector.errors import MalformedPayload
from storage.batch import SpanColumns
from wire import otlp_lean_pb2 as lean

_CACHED_MAX_BYTES = 4096


def decode(payload: bytes) -> Decoded:
    """The spans of an OTLP export request, in their order.

    A span that must be left out is counted in `rejected` under invalid_trace_id, invalid_span_id,
    invalid_parent_span_id or malformed_attribute, _event, _link, _status. Strings that are not UTF-8 follow Jaeger's
    sanitizer (`otlp_attributes`); times beyond int64 are held at its maximum; unknown fields are ignored; of a
    sub-message sent twice the last one counts.
    MalformedPayload: not protobuf, or a resource or scope that is not.
    """
    try:
        return Decoded(records(payload, _resource, _scope))
    except (OddRequest, DecodeError, SpanRefused):
        return decode_carefully(payload)


def decode_carefully(payload: bytes) -> DecodedColumns:
    """As `decode`, without the compiled loops."""
    columns, rejections = SpanColumns(), Rejections()
    for group in span_groups(payload):
        try:
            resource = _resource(group.resource, group.resource_schema_url)
            scope = _scope(group.scope, group.scope_schema_url)
        except (DecodeError, SpanRefused) as error:
            raise MalformedPayload(f"{group.where}: expected a well-formed resource and scope: {error}") from None
        _append_one_by_one(columns, group, resource, scope, rejections)
    return DecodedColumns(columns, rejections.by_reason, rejections.message)


def _append_one_by_one(
    columns: SpanColumns, group: SpanGroup, resource: ResourceFields, scope: ScopeFields, rejections: Rejections
) -> None:
    for index, span in enumerate(group.spans, group.first):
        try:
            append_span(columns, span_fields(span), resource, scope)
        except SpanRefused as refusal:
            rejections.add(f"{group.where}.spans[{index}]", refusal)


def _resource(raw: bytes, raw_schema_url: bytes) -> ResourceFields:
    if len(raw) + len(raw_schema_url) > _CACHED_MAX_BYTES:
        return _parsed_resource(raw, raw_schema_url)
    return _known_resource(raw, raw_schema_url)


def _scope(raw: bytes, raw_schema_url: bytes) -> ScopeFields:
    if len(raw) + len(raw_schema_url) > _CACHED_MAX_BYTES:
        return _parsed_scope(raw, raw_schema_url)
    return _known_scope(raw, raw_schema_url)


def _parsed_resource(raw: bytes, raw_schema_url: bytes) -> ResourceFields:
    message, found = lean.Resource.FromString(raw), SanitizedPairs()
    schema_url = found.text(raw_schema_url, INVALID_SCHEMA_URL)
    pairs = sanitized(message.attributes, found).finish()
    return resource_fields(pairs, message.dropped_attributes_count, schema_url)


def _parsed_scope(raw: bytes, raw_schema_url: bytes) -> ScopeFields:
    message, found = lean.Scope.FromString(raw), SanitizedPairs()
    schema_url = found.text(raw_schema_url, INVALID_SCHEMA_URL)
    name = found.text(message.name, INVALID_SCOPE_NAME, INVALID_SCOPE_NAME)
    version = found.text(message.version, INVALID_SCOPE_VERSION, INVALID_SCOPE_VERSION)
    pairs = sanitized(message.attributes, found).finish()
    return scope_fields(name, version, pairs, message.dropped_attributes_count, schema_url)


_known_resource = lru_cache(1024)(_parsed_resource)
_known_scope = lru_cache(1024)(_parsed_scope)
