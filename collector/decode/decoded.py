"""What a decoder gives back. A decoder is a pure function `payload: bytes -> Decoded`: no clock, no log, no I/O."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class DecodedColumns(Decoded):
    """The same from a decoder that goes span by span."""

    columns: SpanColumns
