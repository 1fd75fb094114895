"""What a load run showed, and how it follows from what the senders and the watch saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.benchmarks.latencies import Latencies, latencies_of
from tests.benchmarks.load_plan import LoadReport
from tests.benchmarks.server_watch import Checkpoint


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of load: `protocol` otlp or zipkin; the rest as in LoadPlan."""

    protocol: str
    lanes: int
    spans_per_s: float | None


@dataclass(frozen=True, slots=True)
class StreamResult:
    """through_checkpoints: requests in flight at any moment of a checkpoint; between: all others."""

    protocol: str
    lanes: int
    asked_spans_per_s: float | None
    acknowledged_spans: int
    spans_per_s: float
    ack: Latencies
    ack_through_checkpoints: Latencies
    ack_between_checkpoints: Latencies
    sender_cpu_s: float
    unsent_requests: int
    refused_requests: dict[str, int]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What one run showed. Counts of spans: acknowledged to the senders, stored by clew's own ledger while it ran, and
    rows found in the store after it ended; lost = acknowledged - found, and must not be above 0."""

    name: str
    store: str
    seconds: float
    spans_per_s: float
    server_cpu_s_per_million: float
    database_cpu_s_per_million: float
    server_cores: float
    rss_max_bytes: int
    checkpoints: int
    checkpoint_max_ms: float
    disk_bytes_per_span: float
    acknowledged_spans: int
    ledger_stored_spans: int
    found_spans: int
    lost_spans: int
    streams: tuple[StreamResult, ...]


def stream_result(stream: Stream, report: LoadReport, took_s: float, checkpoints: Sequence[Checkpoint]) -> StreamResult:
    latencies_s = report.answered_s - report.due_s
    through = _overlaps(report, checkpoints)
    return StreamResult(
        protocol=stream.protocol,
        lanes=stream.lanes,
        asked_spans_per_s=stream.spans_per_s,
        acknowledged_spans=report.acknowledged_spans,
        spans_per_s=round(report.acknowledged_spans / took_s),
        ack=latencies_of(latencies_s),
        ack_through_checkpoints=latencies_of(latencies_s[through]),
        ack_between_checkpoints=latencies_of(latencies_s[~through]),
        sender_cpu_s=round(report.cpu_s, 2),
        unsent_requests=report.unsent,
        refused_requests=report.refused,
    )


def _overlaps(report: LoadReport, checkpoints: Sequence[Checkpoint]) -> npt.NDArray[np.bool_]:
    through = np.zeros(len(report.due_s), dtype=np.bool_)
    for checkpoint in checkpoints:
        through |= (report.due_s < checkpoint.ended_s) & (report.answered_s > checkpoint.began_s)
    return through
