"""What a decoder gives back. A decoder is a pure function `payload: bytes -> Decoded`: no clock, no log, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.batch import DecodedSpans, SpanColumns


@dataclass(frozen=True, slots=True)
class Decoded:
    """The spans of one payload, and how many of its spans were refused.

    rejected: reason -> number of spans left out of `columns` (labels of the ledger, snake_case).
    message: what was wrong with them, for OTLP's partial_success; "" when nothing was.
    """

    columns: DecodedSpans
    rejected: Mapping[str, int] = field(default_factory=dict)
    message: str = ""

    def last_payload_spans(self) -> int:
        """How many good spans the payload has; of several, the last one."""
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class DecodedTogether(Decoded):
    """The spans of several payloads, one after another.

    spans_of: how many each has, in their order; None where its spans are not among these, and are to be decoded alone.
    """

    spans_of: Sequence[int | None] = ()

    def last_payload_spans(self) -> int:
        """As Decoded."""
        return next((spans for spans in reversed(self.spans_of) if spans is not None), 0)


@dataclass(frozen=True, slots=True)
class DecodedColumns(Decoded):
    """The same from a decoder that goes span by span."""

    columns: SpanColumns
