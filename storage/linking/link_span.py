"""What the dependency graph needs of a span, and how it is read from one.

All that links are made of must be cheap to read from a column store: of the attributes only the set of keys is looked
at. Only the service graph asks for more, `duration_ns` and `peer`, and for the latter only of some spans.
Source of the rules: Zipkin's Span and its OTLP translation (zipkin-otel).
"""

from typing import NamedTuple

from storage.ids import SpanId
from storage.linking.peer import Peer, peer_of
from storage.span import Protocol, Span, SpanKind, StatusCode

ERROR = "error"
"""The attribute whose presence, with any value, makes a span an error in Zipkin's eyes."""

LINKED_KINDS = frozenset({SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER})


class LocalEndpoint(NamedTuple):
    """Where a span was recorded. Two are the same only when all four are; NOWHERE is no endpoint at all."""

    service: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


NOWHERE = LocalEndpoint()


class LinkSpan(NamedTuple):
    """One span as the linker sees it. It has no trace id: a sequence of these is one trace.

    kind: UNSPECIFIED stands for every span that is no end of a remote call. start_ns: only orders siblings.
    parent_span_id is never span_id. Names are lower-case, absent is None, never "". peer: as `peer_of`.
    """

    span_id: SpanId
    parent_span_id: SpanId | None = None
    kind: SpanKind = SpanKind.UNSPECIFIED
    shared: bool = False
    local: LocalEndpoint = NOWHERE
    remote_service: str | None = None
    start_ns: int | None = None
    error: bool = False
    duration_ns: int | None = None
    peer: Peer | None = None

    @property
    def service(self) -> str | None:
        return self.local.service


def link_span_of(span: Span, *, with_peer: bool = True) -> LinkSpan:
    """The span as the linker sees it. with_peer: whether to look for its peer, most of what this takes.

    Service names are lower-cased, as Zipkin does when it takes a span in, so that a service which reports as
    "checkout" by Zipkin and as "Checkout" by OTLP is one node. INTERNAL is no kind. A span that names itself as its
    parent has none, and a CLIENT is never shared (both as Zipkin's span builder).
    """
    kind = span.kind if span.kind in LINKED_KINDS else SpanKind.UNSPECIFIED
    local = span.local
    return LinkSpan(
        span_id=span.span_id,
        parent_span_id=None if span.parent_span_id == span.span_id else span.parent_span_id,
        kind=kind,
        shared=span.shared and kind is not SpanKind.CLIENT,
        local=LocalEndpoint(service_name(span.service), local.ipv4, local.ipv6, local.port),
        remote_service=service_name(span.remote.service),
        start_ns=span.start_ns,
        error=_is_error(span),
        duration_ns=span.duration_ns,
        peer=peer_of(span) if with_peer else None,
    )


def service_name(name: str | None) -> str | None:
    """The name of the graph's node: lower-case; None for an empty one."""
    return name.lower() if name else None


def _is_error(span: Span) -> bool:
    # Envoy's 404 by OTLP has the status ERROR and by Zipkin no error tag: each protocol is taken at its own word.
    if ERROR in span.attributes:
        return True
    return span.protocol is not Protocol.ZIPKIN and span.status_code is StatusCode.ERROR
