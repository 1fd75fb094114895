"""Traces in a few characters, so that a table of cases can be read at a glance.

    trace = span {"," span}
    span  = id ["<" parent] kind {word}
    kind  = "S" server | "C" client | "P" producer | "N" consumer | "I" internal | "-" none
    word  = "t" start ["+" duration] | "sh" | "!" | "otlp" | "jaeger" | "=" name | [service] ["@" last part of the IPv4]

Times are microseconds from TODAY_NS. Without "t" a span has no start, without "+" no duration. Spans are Zipkin's
unless they say otherwise; their name is their id, with a prime when they are shared.
"""

from collections.abc import Sequence
from typing import Any

from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import RootReason, TraceTree
from storage.span import Endpoint, Protocol, Span, SpanKind, StatusCode
from tests.builders import TODAY_NS, US, a_span

KINDS = {
    "S": SpanKind.SERVER,
    "C": SpanKind.CLIENT,
    "P": SpanKind.PRODUCER,
    "N": SpanKind.CONSUMER,
    "I": SpanKind.INTERNAL,
    "-": SpanKind.UNSPECIFIED,
}
_MARKS = {RootReason.PARENTLESS: "", RootReason.ORPHAN: "?", RootReason.CIRCLE: "~"}


def trace(text: str, **changes: Any) -> list[Span]:
    """The spans of a trace in this notation, with the fields in `changes`."""
    return [_span(part.split(), changes) for part in text.split(",") if part.strip()]


def outline(spans: Sequence[TraceSpan], tree: TraceTree) -> str:
    """A tree as `a(b(c) d) e? f~`: roots side by side, `?` on an orphan, `~` on the first of a circle."""
    return " ".join(_outline(spans, tree, root) + _MARKS[reason] for root, reason in tree.roots.items())


def since_us(time_ns: int | None) -> int | None:
    """Microseconds from TODAY_NS."""
    return None if time_ns is None else (time_ns - TODAY_NS) // US


def _outline(spans: Sequence[TraceSpan], tree: TraceTree, at: int) -> str:
    below = " ".join(_outline(spans, tree, child) for child in tree.children[at])
    return f"{spans[at].span.name}({below})" if below else str(spans[at].span.name)


def _span(words: list[str], changes: dict[str, Any]) -> Span:
    span_id, _, parent = words[0].partition("<")
    fields: dict[str, Any] = {
        "kind": KINDS[words[1]],
        "name": f"{span_id}'" if "sh" in words else span_id,
        "service": None,
        "start_ns": None,
        "duration_ns": None,
        "protocol": Protocol.ZIPKIN,
    }
    for word in words[2:]:
        fields |= _told(word)
    return a_span(1, _number(span_id), parent=_number(parent) if parent else None, **(fields | changes))


def _told(word: str) -> dict[str, Any]:
    if word == "sh":
        return {"shared": True}
    if word == "!":
        return {"status_code": StatusCode.ERROR, "attributes": {"error": ""}}
    if word in ("otlp", "jaeger"):
        return {"protocol": Protocol[word.upper()]}
    if word[0] == "=":
        return {"name": word[1:] or None}
    if word[0] == "t" and word[1:2].isdigit():
        start, _, duration = word[1:].partition("+")
        return {"start_ns": TODAY_NS + int(start) * US, "duration_ns": int(duration) * US if duration else None}
    service, _, address = word.partition("@")
    return {"service": service or None, "local": Endpoint(ipv4=f"10.0.0.{address}" if address else None)}


def _number(letter: str) -> int:
    return ord(letter)
