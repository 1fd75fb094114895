"""Load from other processes against the real command on a fresh store: speed, cost, latency, memory, disk, losses."""

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from storage.factory import open_store
from tests.benchmarks import otlp_load, zipkin_load
from tests.benchmarks.ingest_results import IngestResult, Stream, stream_result
from tests.benchmarks.load_plan import LoadPlan, LoadReport
from tests.benchmarks.server_watch import ServerWatch
from tests.benchmarks.stores import measured_store
from tests.process.clew_process import Clew

_SENDERS: dict[str, tuple[str, Callable[[LoadPlan], LoadReport]]] = {
    "otlp": ("otlp_grpc", otlp_load.run),
    "zipkin": ("zipkin", zipkin_load.run),
}


def measure_ingest(
    name: str, streams: Sequence[Stream], seconds: float, directory: Path, settings: Mapping[str, str], store: str
) -> IngestResult:
    """Run these streams at once, one sender process each, against a clew over the empty `directory` and `store`."""
    with measured_store(store, directory) as measured:
        given = {"CLEW_STORAGE_URL": measured.url, **settings}
        with Clew(directory, **given) as clew:
            with ServerWatch(clew.process.pid, directory, measured.pids()) as watch:
                began_s = time.monotonic()
                reports = _send(clew, streams, seconds)
                first_s = min((float(report.due_s.min()) for report in reports if len(report.due_s)), default=began_s)
                last_s = max(
                    (float(report.answered_s.max()) for report in reports if len(report.due_s)), default=began_s
                )
            stored = _ledger_stored(clew.url("admin"))
        with open_store(measured.settings) as opened:
            found = opened.statistics().spans
        disk_bytes = measured.disk_bytes()
    acknowledged = sum(report.acknowledged_spans for report in reports)
    took_s = max(last_s - first_s, 1e-9)
    return IngestResult(
        name=name,
        seconds=round(took_s, 2),
        spans_per_s=round(acknowledged / took_s),
        store=store,
        server_cpu_s_per_million=round(watch.cpu_s / max(acknowledged, 1) * 1e6, 2),
        database_cpu_s_per_million=round(watch.database_cpu_s / max(acknowledged, 1) * 1e6, 2),
        server_cores=round(watch.cpu_s / took_s, 2),
        rss_max_bytes=watch.rss_max_bytes,
        checkpoints=len(watch.checkpoints),
        checkpoint_max_ms=round(max((c.ended_s - c.began_s for c in watch.checkpoints), default=0) * 1000, 1),
        disk_bytes_per_span=round(disk_bytes / max(found, 1), 1),
        acknowledged_spans=acknowledged,
        ledger_stored_spans=stored,
        found_spans=found,
        lost_spans=acknowledged - found,
        streams=tuple(
            stream_result(stream, report, took_s, watch.checkpoints)
            for stream, report in zip(streams, reports, strict=True)
        ),
    )


def _send(clew: Clew, streams: Sequence[Stream], seconds: float) -> list[LoadReport]:
    with ProcessPoolExecutor(len(streams), multiprocessing.get_context("spawn")) as senders:
        running: list[Future[LoadReport]] = []
        for seed, stream in enumerate(streams, start=1):
            door, send = _SENDERS[stream.protocol]
            plan = LoadPlan(clew.doors[door], seconds, stream.lanes, stream.spans_per_s, seed)
            running.append(senders.submit(send, plan))
        return [future.result() for future in running]


def _ledger_stored(admin_url: str) -> int:
    with urlopen(f"{admin_url}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return round(
            sum(
                sample.value
                for family in families
                for sample in family.samples
                if sample.name == "clew_spans_stored_total"
            )
        )
