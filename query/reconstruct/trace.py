"""A trace as it is shown: what reconstruction gives and every renderer takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from storage.ids import TraceId
from storage.span import Span


class TraceSpan(Struct, frozen=True, gc=False):
    """One span as it is shown, with what its sender and the adjusters have to say about it, in that order.

    It may differ from the stored span: its id, parent, times, attributes and resource can be adjusted.
    reports: how many stored spans it was made of, at least 1.
    """

    span: Span
    warnings: tuple[str, ...] = ()
    reports: int = 1

    def warned(self, warning: str) -> "TraceSpan":
        """The same with one more warning, at the end."""
        return replace(self, warnings=(*self.warnings, warning))


@dataclass(frozen=True, slots=True)
class Trace:
    """Spans of one trace, at least one, by start (absent as 0) and then span id; all carry `trace_id`."""

    trace_id: TraceId
    spans: Sequence[TraceSpan]
