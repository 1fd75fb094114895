"""What one OTLP span says, in plain fields: where the two decoders meet before the columns are filled.

Both decoders reduce a span to these; `otlp_rows` is the only place that knows which column takes which field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from zlib import crc32

from collector.decode.otlp_attributes import Attribute, Pair, attributes_of, keys_of, object_text, tokens_of
from storage.conventions import SERVICE_NAME_KEY
from storage.ids import NO_SPAN, NO_TRACE

MAX_TIME_NS = 2**63 - 1
"""OTLP times are uint64; what lies beyond int64 (the year 2262) is held at this value."""

UNSPECIFIED_KIND = 0
MAX_KIND = 5
UNSET_STATUS = 0
MAX_STATUS = 2

_EVENT_TOKEN_SEED = crc32(b"event=")


class SpanRefused(Exception):  # it names what happened to the span
    """This span is left out of the batch: `reason` is the ledger's label, `problem` says what was expected and got."""

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


class Rejections:
    """The spans left out of one payload: counted by reason, the first few named."""

    NAMED = 3

    def __init__(self) -> None:
        self.by_reason: dict[str, int] = {}
        self._named: list[str] = []

    def add(self, where: str, refusal: SpanRefused) -> None:
        """Count the span at `where` (such as `resourceSpans[0].scopeSpans[1].spans[3]`)."""
        self.by_reason[refusal.reason] = self.by_reason.get(refusal.reason, 0) + 1
        if len(self._named) < self.NAMED:
            self._named.append(f"{where}{refusal.problem}")

    @property
    def message(self) -> str:
        """For partial_success: "" when no span was left out."""
        total = sum(self.by_reason.values())
        if not total:
            return ""
        more = f"; and {total - len(self._named)} more" if total > len(self._named) else ""
        return f"{total} span{'s' if total > 1 else ''} left out: {'; '.join(self._named)}{more}"


@dataclass(frozen=True, slots=True)
class ResourceFields:
    """A resource as the columns hold it. `service`: `service.name` after Jaeger's sanitizer."""

    service: str
    text: str
    schema_url: str
    dropped: int


@dataclass(frozen=True, slots=True)
class ScopeFields:
    """An instrumentation scope as the columns hold it. `text`: None when it has no attributes. `keys`: of those."""

    name: str
    version: str
    text: str | None
    keys: tuple[str, ...]
    tokens: tuple[int, ...]
    schema_url: str
    dropped: int


@dataclass(slots=True)
class Attached:
    """The events and links of one span as JSON objects, and their attributes' keys and search tokens."""

    events: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


@dataclass(slots=True)
class SpanFields:
    """One span. ids: 16, 8 and 8 raw bytes, the parent's all zero when it has none; times: both 0 is absent."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Sequence[Attribute]
    status_code: int = UNSET_STATUS
    status_message: str = ""
    trace_state: str = ""
    flags: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    attached: Attached = field(default_factory=Attached)


def resource_fields(pairs: Sequence[Pair], dropped: int, schema_url: str) -> ResourceFields:
    """The fields of a resource with these attributes."""
    return ResourceFields(_service(pairs), object_text(attributes_of(pairs)), schema_url, dropped)


def scope_fields(name: str, version: str, pairs: Sequence[Pair], dropped: int, schema_url: str) -> ScopeFields:
    """The fields of a scope with these attributes."""
    found = attributes_of(pairs)
    text = object_text(found) if found else None
    return ScopeFields(name, version, text, tuple(keys_of(found)), tuple(tokens_of(found)), schema_url, dropped)


def add_event(attached: Attached, time_ns: int, name: str, found: Sequence[Attribute], dropped: int) -> None:
    """Add an event, in the form of `batch.events_text`."""
    members = f'{{"time_ns":{min(time_ns, MAX_TIME_NS)},"name":{encode_basestring(name)}'
    attached.events.append(f"{members}{_optional(found, dropped)}}}")
    attached.tokens.append(crc32(name.encode(), _EVENT_TOKEN_SEED))
    _note(attached, found)


def add_link(
    attached: Attached, ids: tuple[bytes, bytes], trace_state: str, flags: int, found: Sequence[Attribute], dropped: int
) -> None:
    """Add a link, in the form of `batch.links_text`. `ids`: trace id, span id."""
    members = f'{{"trace_id":"{ids[0].hex()}","span_id":"{ids[1].hex()}"'
    if trace_state:
        members += f',"trace_state":{encode_basestring(trace_state)}'
    if flags:
        members += f',"flags":{flags}'
    attached.links.append(f"{members}{_optional(found, dropped)}}}")
    _note(attached, found)


def _note(attached: Attached, found: Sequence[Attribute]) -> None:
    attached.keys += keys_of(found)
    attached.tokens += tokens_of(found)


def checked_ids(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> tuple[bytes, bytes, bytes]:
    """The ids of a span, its parent all zero when it has none. SpanRefused when they are none by OTLP and W3C."""
    if len(trace_id) != 16 or trace_id == NO_TRACE:
        raise SpanRefused("invalid_trace_id", f".traceId: expected 16 bytes, not all zero, got {_shown(trace_id)}")
    if len(span_id) != 8 or span_id == NO_SPAN:
        raise SpanRefused("invalid_span_id", f".spanId: expected 8 bytes, not all zero, got {_shown(span_id)}")
    if len(parent_span_id) not in (0, 8):
        raise SpanRefused(
            "invalid_parent_span_id", f".parentSpanId: expected 8 bytes or none, got {_shown(parent_span_id)}"
        )
    return trace_id, span_id, parent_span_id or NO_SPAN


def checked_link_ids(trace_id: bytes, span_id: bytes) -> tuple[bytes, bytes]:
    """The ids of a link; an absent one is all zero, as OTLP's own receivers read it."""
    if len(trace_id) not in (0, 16) or len(span_id) not in (0, 8):
        raise SpanRefused(
            "malformed_link",
            f".links: expected a trace id of 16 and a span id of 8 bytes, got {_shown(trace_id)} and {_shown(span_id)}",
        )
    return trace_id or NO_TRACE, span_id or NO_SPAN


def kind_of(number: int) -> int:
    """A span kind's number; UNSPECIFIED for one that OTLP does not know."""
    return number if 0 <= number <= MAX_KIND else UNSPECIFIED_KIND


def status_of(number: int) -> int:
    """A status code's number; UNSET for one that OTLP does not know."""
    return number if 0 <= number <= MAX_STATUS else UNSET_STATUS


def _service(pairs: Sequence[Pair]) -> str:
    for key, value in pairs:
        if key == SERVICE_NAME_KEY:
            if not isinstance(value, str):
                return "service-name-wrong-type"
            return value or "empty-service-name"
    return "missing-service-name"


def _optional(found: Sequence[Attribute], dropped: int) -> str:
    text = f',"attributes":{object_text(found)}' if found else ""
    return f'{text},"dropped":{dropped}' if dropped else text


def _shown(raw: bytes) -> str:
    return f"{len(raw)} bytes" if any(raw) else f"{len(raw)} zero bytes" if raw else "none"
