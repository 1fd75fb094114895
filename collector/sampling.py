"""Which traces COLLECTOR_SAMPLE_RATE keeps: Zipkin's CollectorSampler, on every door.

A span is kept when the absolute value of the low 64 bits of its trace id, read as a signed number, is at most
2^63-1 times the rate (the one number without an absolute value counts as 2^63-1). `debug` spans are always kept.
"""

import numpy as np

from storage.batch import SpanColumns

_MAX_LONG = 2**63 - 1


def kept_rows(columns: SpanColumns, rate: float) -> list[int]:
    """The rows that the rate (0 to 1) keeps, in their order."""
    boundary = np.uint64(min(_MAX_LONG, int(_MAX_LONG * rate)))
    low_halves = np.frombuffer(b"".join(columns.trace_id), dtype=">i8")[1::2].astype("<i8")
    magnitudes = np.minimum(np.abs(low_halves).view(np.uint64), np.uint64(_MAX_LONG))
    keep = magnitudes <= boundary
    for row, debug in columns.sparse.get("debug", {}).items():
        keep[row] |= bool(debug)
    return [int(row) for row in np.flatnonzero(keep)]


def sampled(columns: SpanColumns, rate: float) -> tuple[SpanColumns, SpanColumns]:
    """The spans that are kept and those that are not; `columns` itself when all are kept."""
    if rate >= 1:
        return columns, SpanColumns()
    kept = kept_rows(columns, rate)
    if len(kept) == len(columns):
        return columns, SpanColumns()
    in_kept = set(kept)
    return columns.take(kept), columns.take([row for row in range(len(columns)) if row not in in_kept])
