"""Zipkin v2 spans between a payload and the columns: what a list of them looks like, not yet checked or normalised."""

from msgspec import Struct


class WireEndpoint(Struct, rename="camel", gc=False):
    """Addresses are the text that was sent; either member may hold either family (zipkin2.Endpoint)."""

    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class WireAnnotation(Struct, gc=False):
    """`timestamp` is epoch microseconds and may be any number."""

    timestamp: int
    value: str


class WireSpan(Struct, rename="camel", gc=False):
    """Ids are the text that was sent. `timestamp` (epoch) and `duration` are microseconds and may be any number."""

    trace_id: str
    id: str
    parent_id: str | None = None
    kind: str | None = None
    name: str | None = None
    timestamp: int | None = None
    duration: int | None = None
    local_endpoint: WireEndpoint | None = None
    remote_endpoint: WireEndpoint | None = None
    annotations: list[WireAnnotation] | None = None
    tags: dict[str, str] | None = None
    debug: bool | None = None
    shared: bool | None = None


class RefusedSpanError(ValueError):
    """A span, and with it its whole list, breaks a rule of Zipkin. Stays in `decode`.

    cause: in Zipkin's own words. place: where, when the cause does not say; "" when it does.
    """

    def __init__(self, cause: str, place: str = "") -> None:
        super().__init__(cause, place)
        self.cause = cause
        self.place = place
