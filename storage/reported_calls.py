"""The calls that a store counts as spans come, told to whoever keeps counters of them: the seam for live metrics.

What retention drops is never told, nor what the store held before it was opened: the sums of what is told only grow,
but for edges, which spans that come late may take back.
"""

from typing import Protocol, runtime_checkable

import pyarrow as pa

from storage.linking.graph_table import GRAPH_CALLS

SPAN_CALLS = pa.schema(
    [
        pa.field("service", pa.string()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.uint8()),
        pa.field("status_code", pa.uint8()),
        pa.field("bucket", pa.int16()),
        pa.field("calls", pa.int64()),
        pa.field("duration_ns", pa.float64()),
    ]
)
"""Spans by bucket of their durations (storage.latency_buckets); repeated spans count each time, those without a service
do not. name: "" if absent. duration_ns: the sum of their durations."""


class CallObserver(Protocol):
    """Is told in the thread that calls the store's `maintain`, after what it is told of was committed."""

    def on_spans(self, calls: pa.Table) -> None:
        """SPAN_CALLS that came, each span in one report."""
        ...

    def on_edges(self, change: pa.Table) -> None:
        """GRAPH_CALLS, below zero where spans that came late moved calls: the sums are the calls of all spans told."""
        ...


EDGE_CALLS = GRAPH_CALLS
"""What `CallObserver.on_edges` is told."""


@runtime_checkable
class ReportsCalls(Protocol):
    """A store that can tell. Its rounds of upkeep do; so a call is told some seconds after it came."""

    def report_calls_to(self, observer: CallObserver) -> None:
        """Tell it of every call from now on. Before the first `maintain`; at most one observer."""
        ...
