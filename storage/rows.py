"""From a stored row back to a Span: the inverse of `SpanColumns.append`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from storage import attributes as attrs
from storage.batch import span_id_of_number
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode

_EMPTY_ENDPOINT = Endpoint()
_KINDS = tuple(SpanKind)
_STATUS = tuple(StatusCode)
_PROTOCOLS = {int(protocol): protocol for protocol in Protocol}


def span_of(row: Sequence[Any]) -> Span:
    """The span of one row whose values stand in COLUMN_NAMES order (span ids as numbers, absent as None)."""
    (
        trace_id,
        span_id,
        parent_span_id,
        start_ns,
        duration_ns,
        service,
        name,
        kind,
        status_code,
        protocol,
        attributes,
        _keys,
        _tokens,
        resource,
        scope_name,
        scope_version,
        status_message,
        events,
        links,
        trace_state,
        flags,
        debug,
        shared,
        local_ipv4,
        local_port,
        remote_service,
        remote_ipv4,
        remote_port,
        _received_ns,
        rare,
    ) = row
    few = _rare(rare) if rare else _NOTHING_RARE
    return Span(
        trace_id=TraceId(bytes(trace_id)),
        span_id=span_id_of_number(span_id),
        parent_span_id=None if parent_span_id is None else span_id_of_number(parent_span_id),
        name=name,
        kind=_KINDS[kind],
        start_ns=start_ns,
        duration_ns=duration_ns,
        service=service,
        status_code=_STATUS[status_code],
        status_message=status_message or "",
        protocol=_PROTOCOLS[protocol],
        attributes=attrs.decode(attributes),
        events=events_of(events),
        links=links_of(links),
        resource=_resource(resource, few.resource_dropped_attributes, few.resource_schema_url),
        scope=_scope(scope_name or "", scope_version or "", few),
        trace_state=trace_state or "",
        flags=flags,
        dropped_attributes=few.dropped_attributes,
        dropped_events=few.dropped_events,
        dropped_links=few.dropped_links,
        debug=debug,
        shared=shared,
        local=_endpoint(None, local_ipv4, few.local_ipv6, local_port),
        remote=_endpoint(remote_service, remote_ipv4, few.remote_ipv6, remote_port),
    )


def events_of(text: str | None) -> tuple[Event, ...]:
    """The events that `batch.events_text` wrote."""
    if not text:
        return ()
    return tuple(
        Event(item["time_ns"], item["name"], _attributes(item), item.get("dropped", 0))
        for item in msgspec.json.decode(text)
    )


def links_of(text: str | None) -> tuple[Link, ...]:
    """The links that `batch.links_text` wrote."""
    if not text:
        return ()
    return tuple(
        Link(
            TraceId(bytes.fromhex(item["trace_id"])),
            SpanId(bytes.fromhex(item["span_id"])),
            item.get("trace_state", ""),
            _attributes(item),
            item.get("dropped", 0),
            item.get("flags", 0),
        )
        for item in msgspec.json.decode(text)
    )


def _attributes(item: dict[str, Any]) -> attrs.Attributes:
    return {key: attrs.untagged(value) for key, value in item.get("attributes", {}).items()}


class _Rare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of `storage.batch.RARE`."""

    scope_attributes: dict[str, object] | None = None
    scope_schema_url: str = ""
    scope_dropped_attributes: int = 0
    resource_schema_url: str = ""
    resource_dropped_attributes: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    local_ipv6: str | None = None
    remote_ipv6: str | None = None


_NOTHING_RARE = _Rare()
_decode_rare = msgspec.json.Decoder(_Rare).decode


@lru_cache(1024)
def _rare(text: str) -> _Rare:
    """Shared: what is there at all is there for all spans of a library or an endpoint."""
    return _decode_rare(text)


@lru_cache(1024)
def _plain_scope(name: str, version: str) -> Scope:
    return Scope(name, version)


def _scope(name: str, version: str, few: _Rare) -> Scope:
    if few is _NOTHING_RARE:
        return _plain_scope(name, version)
    return Scope(
        name,
        version,
        {key: attrs.untagged(value) for key, value in (few.scope_attributes or {}).items()},
        few.scope_dropped_attributes,
        few.scope_schema_url,
    )


@lru_cache(1024)
def _resource(text: str, dropped_attributes: int, schema_url: str) -> Resource:
    """Shared by all spans of one process: it is most of what there is to parse, and never changes."""
    return Resource(attrs.decode(text), dropped_attributes, schema_url)


def _endpoint(service: str | None, ipv4: str | None, ipv6: str | None, port: int | None) -> Endpoint:
    if service is None and ipv4 is None and ipv6 is None and port is None:
        return _EMPTY_ENDPOINT
    return Endpoint(service, ipv4, ipv6, port)
