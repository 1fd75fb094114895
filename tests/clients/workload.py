"""The little trace that every client sends: a server's root and its client call, with everything a span can have.

Values are awkward on purpose: all attribute types, empty, long and non-Latin text, NUL, numbers at the edges.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.attributes import Attributes, AttributeValue

START_LAG_NS = 5_000_000_000
"""The workload begins this long before it is sent, so that it lies in the past whatever a client rounds."""

LINKED_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LINKED_SPAN = "00f067aa0ba902b7"
SCOPE = ("clew.tests", "1.2.3")
RESOURCE = {"service.version": "7.1", "host.name": "shop-1", "deployment.environment.name": "größe"}
LONG_TEXT = "lang-äöü-" * 1_000


@dataclass(frozen=True, slots=True)
class Moment:
    """An event, by its distance from the base time."""

    offset_ns: int
    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One span of the workload. Offsets count from the base time; `error` is the message of an ERROR status."""

    name: str
    kind: str
    offset_ns: int
    duration_ns: int
    parent: str | None = None
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Moment, ...] = ()
    links: tuple[Mapping[str, AttributeValue], ...] = ()
    """The attributes of each link; all point to LINKED_SPAN."""
    error: str | None = None


ROOT = Planned(
    name="GET /cart/{id}",
    kind="server",
    offset_ns=123_456_789,
    duration_ns=250_000_999,
    attributes={"http.request.method": "GET", "http.response.status_code": 503},
)
CHILD = Planned(
    name="SELECT größe 漢字 🚀",
    kind="client",
    offset_ns=200_001_002,
    duration_ns=42_424_242,
    parent=ROOT.name,
    attributes={
        "text": "plain",
        "text.empty": "",
        "text.unicode": "größe 漢字 🚀 \u2028",
        "text.quotes": "\"'\\\n\t</script>",
        "text.nul": "a\0b",
        "text.long": LONG_TEXT,
        "int": 42,
        "int.negative": -7,
        "int.largest.safe": 2**53 - 1,
        "int.largest": 2**63 - 1,
        "double": 72.5,
        "double.small": -1.25e-9,
        "bool.true": True,
        "bool.false": False,
        "bytes": b"\x00\xff\xfe",
        "strings": ["a", "ü", ""],
        "ints": [1, -2, 3],
        "doubles": [0.5, -0.25],
        "bools": [True, False],
        "peer.service": "orders-db",
    },
    events=(
        Moment(210_000_003, "cache.miss", {"cache.key": "größe", "cache.size": 12, "cache.warm": False}),
        Moment(220_000_004, "retry ☂"),
    ),
    links=({"reason": "batch", "attempt": 2},),
    error="deadline exceeded ☠",
)
SPANS = (ROOT, CHILD)


def workload_json() -> list[dict[str, Any]]:
    """The workload for client scripts. What JavaScript's JSON cannot hold is an object: `{"bytes": base64}`,
    `{"int64": decimal}`."""
    return [
        {
            "name": span.name,
            "kind": span.kind,
            "offset_ns": span.offset_ns,
            "duration_ns": span.duration_ns,
            "parent": span.parent,
            "attributes": _json_attributes(span.attributes),
            "events": [
                {"offset_ns": event.offset_ns, "name": event.name, "attributes": _json_attributes(event.attributes)}
                for event in span.events
            ],
            "links": [
                {"trace_id": LINKED_TRACE, "span_id": LINKED_SPAN, "attributes": _json_attributes(attributes)}
                for attributes in span.links
            ],
            "error": span.error,
            "resource": RESOURCE,
            "scope": SCOPE,
        }
        for span in SPANS
    ]


def _json_attributes(attributes: Attributes) -> dict[str, Any]:
    return {key: _json_value(value) for key, value in attributes.items()}


def _json_value(value: AttributeValue) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"int64": str(value)}
    return value
