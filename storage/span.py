"""The span as readers see it: one value, whichever protocol it came by. Never built on the write path.

Structs, because a frozen dataclass of 24 fields takes ten times as long to make and forty times to replace; and a
search makes some thousand of them. `msgspec.structs.replace` changes one. The garbage collector need not look at them
(gc=False), for nothing they hold can hold them: of a large trace that saves a third of the time.
"""

from enum import IntEnum

from msgspec import Struct, field

from storage.attributes import Attributes
from storage.ids import SpanId, TraceId


class SpanKind(IntEnum):
    """OTLP's numbers. Zipkin's absent kind is UNSPECIFIED."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """OTLP's numbers. A Zipkin span with an `error` tag (any value) is stored as ERROR, as Jaeger's receiver does."""

    UNSET = 0
    OK = 1
    ERROR = 2


class Protocol(IntEnum):
    """How a span came. Renderings differ by it: an OTLP 404 is an error status, Envoy's Zipkin 404 is not."""

    ZIPKIN = 1
    OTLP = 2
    JAEGER = 3


class Endpoint(Struct, frozen=True, gc=False):
    """A Zipkin endpoint. Addresses are canonical text; port 0 is never stored (absent is None)."""

    service: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class Event(Struct, frozen=True, gc=False):
    """A moment in a span: an OTLP event, or a Zipkin annotation (its value is the name, it has no attributes)."""

    time_ns: int
    name: str
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0


class Link(Struct, frozen=True, gc=False):
    """A reference to another span."""

    trace_id: TraceId
    span_id: SpanId
    trace_state: str = ""
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0
    flags: int = 0


class Scope(Struct, frozen=True, gc=False):
    """The instrumentation scope of an OTLP span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0
    schema_url: str = ""


class Resource(Struct, frozen=True, gc=False):
    """What produced an OTLP span: its attributes hold `service.name` as it was sent, if it was."""

    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0
    schema_url: str = ""


class Span(Struct, frozen=True, gc=False):
    """One reported span, as it was reported: not merged, not corrected.

    `(trace_id, span_id)` is not unique: Zipkin's shared spans and plain retries repeat it.
    Absent is None, never 0: a Zipkin span may have neither `start_ns` nor `duration_ns`. An OTLP span always has
    both unless the sender left start and end at 0; its duration may be negative, as it was sent.
    `service` is the local service name: for OTLP the `service.name` after Jaeger's sanitizer
    (`missing-service-name`, ...), for Zipkin the lower-cased local endpoint name, None when it has none.
    `local.service` is not set; `service` is that name. `remote.service` of an OTLP CLIENT or PRODUCER is its attribute
    `peer.service`. A JAEGER span's attributes are the tags as they were sent, those that kind, status, message and
    trace state were read from included.
    """

    trace_id: TraceId
    span_id: SpanId
    parent_span_id: SpanId | None = None
    name: str | None = None
    kind: SpanKind = SpanKind.UNSPECIFIED
    start_ns: int | None = None
    duration_ns: int | None = None
    service: str | None = None
    status_code: StatusCode = StatusCode.UNSET
    status_message: str = ""
    protocol: Protocol = Protocol.OTLP
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: Resource = field(default_factory=Resource)
    scope: Scope = field(default_factory=Scope)
    trace_state: str = ""
    flags: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    debug: bool = False
    shared: bool = False
    local: Endpoint = field(default_factory=Endpoint)
    remote: Endpoint = field(default_factory=Endpoint)
