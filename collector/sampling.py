"""Which traces COLLECTOR_SAMPLE_RATE keeps: Zipkin's CollectorSampler, on every door.

A span is kept when the absolute value of the low 64 bits of its trace id, read as a signed number, is at most
2^63-1 times the rate (the one number without an absolute value counts as 2^63-1). `debug` spans are always kept.
"""

import numpy as np

from storage.batch import DecodedSpans, SpanColumns

_MAX_LONG = 2**63 - 1


def kept_rows(spans: DecodedSpans, rate: float) -> list[int]:
    """The rows that the rate (0 to 1) keeps, in their order."""
    boundary = np.uint64(min(_MAX_LONG, int(_MAX_LONG * rate)))
    low_halves = np.frombuffer(spans.trace_ids(), dtype=">i8")[1::2].astype("<i8")
    magnitudes = np.minimum(np.abs(low_halves).view(np.uint64), np.uint64(_MAX_LONG))
    keep = magnitudes <= boundary
    keep[spans.debug_rows()] = True
    return [int(row) for row in np.flatnonzero(keep)]


def sampled(spans: DecodedSpans, rate: float) -> tuple[DecodedSpans, DecodedSpans]:
    """The spans that are kept and those that are not; `spans` itself when all are kept."""
    if rate >= 1:
        return spans, SpanColumns()
    kept = kept_rows(spans, rate)
    if len(kept) == len(spans):
        return spans, SpanColumns()
    in_kept = set(kept)
    return spans.take(kept), spans.take([row for row in range(len(spans)) if row not in in_kept])
