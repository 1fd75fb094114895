"""Which column takes which field of an OTLP span: the filler behind both OTLP decoders, and Jaeger's."""

from collections.abc import Iterator, Sequence

from collector.decode.otlp_attributes import keys_of, object_text, tokens_of
from collector.decode.otlp_fields import MAX_TIME_NS, ResourceFields, ScopeFields, SpanFields
from storage.attributes import KEY_SEPARATOR, decode, key_set, keys_elsewhere
from storage.batch import SpanColumns
from storage.span import Protocol, SpanKind

OTLP = int(Protocol.OTLP)
_CALLERS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
_PEER_SERVICE = "peer.service"
_HAS_PEER_SERVICE = f"{KEY_SEPARATOR}{_PEER_SERVICE}{KEY_SEPARATOR}"


def append_span(
    columns: SpanColumns, span: SpanFields, resource: ResourceFields, scope: ScopeFields, protocol: int = OTLP
) -> None:
    """Append one row."""
    row = len(columns)
    start_ns, duration_ns = times_of(span.start_ns, span.end_ns)
    tokens = [*tokens_of(span.attributes), *scope.tokens, *span.attached.tokens]
    columns.trace_id.append(span.trace_id)
    columns.span_id.append(span.span_id)
    columns.parent_span_id.append(span.parent_span_id)
    columns.start_ns.append(start_ns)
    columns.duration_ns.append(duration_ns)
    columns.service.append(resource.service)
    columns.name.append(span.name or None)
    columns.kind.append(span.kind)
    columns.status_code.append(span.status_code)
    columns.protocol.append(int(protocol))
    columns.attributes.append(object_text(span.attributes))
    elsewhere = keys_elsewhere((*scope.keys, *span.attached.keys))
    columns.attribute_keys.append(key_set(keys_of(span.attributes)) + elsewhere)
    columns.tokens.extend(tokens)
    columns.token_counts.append(len(tokens))
    columns.resource.append(resource.text)
    for column, value in _sparse_values(span):
        if value:
            columns.set_sparse(column, row, value)
    set_context(columns, range(row, row + 1), resource, scope)
    set_remote_services(columns, row)


def set_remote_services(columns: SpanColumns, first: int) -> None:
    """Name the service that each CLIENT or PRODUCER from row `first` on calls: its attribute peer.service, if text.

    As zipkin-otel, but for its fallback to network.peer.address: an address is a host, not a service.
    """
    for row in _rows_with_peer(columns.attribute_keys[first:], first):
        if columns.kind[row] in _CALLERS:
            peer = decode(columns.attributes[row]).get(_PEER_SERVICE)
            if peer and isinstance(peer, str):
                columns.set_sparse("remote_service", row, peer)


def _rows_with_peer(key_sets: Sequence[str], first: int) -> Iterator[int]:
    # Spans have few different sets of keys: most requests are done after these.
    with_peer = {keys for keys in set(key_sets) if _HAS_PEER_SERVICE in keys}
    return (first + index for index, keys in enumerate(key_sets) if keys in with_peer) if with_peer else iter(())


def array_text(objects: list[str]) -> str | None:
    """The JSON array of these objects; None when there are none: the form of the `events` and `links` columns."""
    return f"[{','.join(objects)}]" if objects else None


def times_of(start_ns: int, end_ns: int) -> tuple[int | None, int | None]:
    """start and duration: both absent when both times are 0; the duration may be negative, as it was sent."""
    if not start_ns and not end_ns:
        return None, None
    start_ns = min(start_ns, MAX_TIME_NS)
    return start_ns, min(end_ns, MAX_TIME_NS) - start_ns


def set_context(columns: SpanColumns, rows: range, resource: ResourceFields, scope: ScopeFields) -> None:
    """Give these rows what their resource and scope say in the sparse columns."""
    for column, value in (
        ("scope_name", scope.name),
        ("scope_version", scope.version),
        *rare_context(resource, scope),
    ):
        if value:
            columns.sparse.setdefault(column, {}).update(dict.fromkeys(rows, value))


def rare_context(resource: ResourceFields, scope: ScopeFields) -> tuple[tuple[str, object], ...]:
    """What resource and scope say in members of `rare`; empty values are not there."""
    return (
        ("scope_attributes", scope.text),
        ("scope_schema_url", scope.schema_url),
        ("scope_dropped_attributes", scope.dropped),
        ("resource_schema_url", resource.schema_url),
        ("resource_dropped_attributes", resource.dropped),
    )


def _sparse_values(span: SpanFields) -> tuple[tuple[str, object], ...]:
    return (
        ("status_message", span.status_message),
        ("events", array_text(span.attached.events)),
        ("links", array_text(span.attached.links)),
        ("trace_state", span.trace_state),
        ("flags", span.flags),
        ("dropped_attributes", span.dropped_attributes),
        ("dropped_events", span.dropped_events),
        ("dropped_links", span.dropped_links),
    )
