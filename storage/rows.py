"""From stored columns back to Spans: the inverse of `SpanColumns.append`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from storage import attributes as attrs
from storage.batch import span_id_of_number
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode

_EMPTY_ENDPOINT = Endpoint()
_KINDS = tuple(SpanKind)
_STATUS = tuple(StatusCode)
_PROTOCOLS = {int(protocol): protocol for protocol in Protocol}


def spans_of(columns: Sequence[Sequence[Any]]) -> list[Span]:
    """The spans of these columns: plain values in COLUMN_NAMES order, all of one length (span ids as numbers).

    A column after another, for in a trace most say nothing or the same: by rows, 50,000 spans take twice as long.
    """
    (
        trace_ids,
        span_ids,
        parent_span_ids,
        starts_ns,
        durations_ns,
        services,
        names,
        kinds,
        status_codes,
        protocols,
        attributes,
        _keys,
        _tokens,
        resources,
        scope_names,
        scope_versions,
        status_messages,
        events,
        links,
        trace_states,
        flags,
        debug,
        shared,
        local_ipv4,
        local_ports,
        remote_services,
        remote_ipv4,
        remote_ports,
        _received_ns,
        rare,
    ) = columns
    few = [_rare(text) if text else _NOTHING_RARE for text in rare] if any(rare) else None
    return [
        *map(
            Span,
            map(TraceId, map(bytes, trace_ids)),
            map(span_id_of_number, span_ids),
            [None if number is None else span_id_of_number(number) for number in parent_span_ids],
            names,
            map(_KINDS.__getitem__, kinds),
            starts_ns,
            durations_ns,
            services,
            map(_STATUS.__getitem__, status_codes),
            _texts(status_messages),
            map(_PROTOCOLS.__getitem__, protocols),
            map(attrs.decode, attributes),
            map(events_of, events) if any(events) else repeat(()),
            map(links_of, links) if any(links) else repeat(()),
            map(_resource, resources, _told("resource_dropped_attributes", few), _told("resource_schema_url", few)),
            map(_scope, _texts(scope_names), _texts(scope_versions), few or repeat(_NOTHING_RARE)),
            _texts(trace_states),
            flags,
            _told("dropped_attributes", few),
            _told("dropped_events", few),
            _told("dropped_links", few),
            debug,
            shared,
            _endpoints((), local_ipv4, "local_ipv6", local_ports, few),
            _endpoints(remote_services, remote_ipv4, "remote_ipv6", remote_ports, few),
        )
    ]


def plain_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of a column as Python's own; at once where there are none, as in half of all columns."""
    return [None] * len(column) if column.null_count == len(column) else column.to_pylist()


def span_of(row: Sequence[Any]) -> Span:
    """The span of one row, whose values stand as those of `spans_of`."""
    (span,) = spans_of([(value,) for value in row])
    return span


def _texts(column: Sequence[str | None]) -> Iterable[str]:
    return [text or "" for text in column] if any(column) else repeat("")


def _told(member: str, few: "Sequence[_Rare] | None") -> Iterable[Any]:
    """A member of each; few: None when there is nothing rare at all."""
    return repeat(getattr(_NOTHING_RARE, member)) if few is None else map(attrgetter(member), few)


def _endpoints(
    services: Sequence[str | None],
    ipv4: Sequence[str | None],
    ipv6_member: str,
    ports: Sequence[int | None],
    few: "Sequence[_Rare] | None",
) -> Iterable[Endpoint]:
    if few is None and not (any(services) or any(ipv4) or any(ports)):
        return repeat(_EMPTY_ENDPOINT)
    return map(_endpoint, services or repeat(None), ipv4, _told(ipv6_member, few), ports)


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
