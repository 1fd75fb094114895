"""What Jaeger repairs in a span before it stores it; clew stores what was sent and repairs it on the way out.

Source: Jaeger v2's sanitizers. (Service names of OTLP spans are repaired by the decoder, for they are searched.)
"""

from typing import Any

from msgspec.structs import replace

from query.reconstruct.go_text import time_text
from query.reconstruct.trace import TraceSpan
from storage.attributes import AttributeValue, text_of
from storage.conventions import EMPTY_SPAN_NAME, MISSING_SERVICE_NAME, WARNINGS_KEY
from storage.span import Span
from storage.trace_summary import SHORTEST_NS


def sanitized(span: Span) -> TraceSpan:
    """The span as `named` gives it, with a positive duration.

    A duration that is absent, zero or negative becomes 1 ns, with a warning.
    """
    shown = named(span)
    if span.duration_ns is not None and span.duration_ns >= SHORTEST_NS:
        return shown
    warning = _duration_warning(span.start_ns or 0, span.duration_ns or 0)
    return replace(shown, span=replace(shown.span, duration_ns=SHORTEST_NS)).warned(warning)


def named(span: Span) -> TraceSpan:
    """The span with a service, a name, and no span as its own parent.

    The sender's own warnings, which travel as an attribute, come out of the attributes and stand first.
    """
    if span.service and span.name and span.parent_span_id != span.span_id and WARNINGS_KEY not in span.attributes:
        return TraceSpan(span)
    changes: dict[str, Any] = {}
    warnings: list[str] = []
    if WARNINGS_KEY in span.attributes:
        warnings += _sent_warnings(span.attributes[WARNINGS_KEY])
        changes["attributes"] = {key: value for key, value in span.attributes.items() if key != WARNINGS_KEY}
    if not span.service:
        changes["service"] = MISSING_SERVICE_NAME
    if not span.name:
        changes["name"] = EMPTY_SPAN_NAME
    if span.parent_span_id == span.span_id:
        changes["parent_span_id"] = None
    return TraceSpan(replace(span, **changes) if changes else span, tuple(warnings))


def _sent_warnings(value: AttributeValue) -> list[str]:
    return [text_of(item) for item in value] if isinstance(value, list) else [text_of(value)]


def _duration_warning(start_ns: int, duration_ns: int) -> str:
    return (
        "Negative duration detected, sanitizing end timestamp. "
        f"Original end timestamp: {time_text(start_ns + duration_ns)}, "
        f"adjusted to: {time_text(start_ns + SHORTEST_NS)}"
    )
