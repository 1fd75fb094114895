"""Results as tables for people."""

from collections.abc import Sequence

from rich.table import Table

from tests.benchmarks.ingest_results import IngestResult
from tests.benchmarks.latencies import Latencies
from tests.benchmarks.queries import QueriesResult
from tests.benchmarks.reconstruction import ReconstructionResult

_MIB = 2**20


def ingest_table(results: Sequence[IngestResult]) -> Table:
    """One row a scenario: speed, cost, memory, disk, losses."""
    columns = (
        "scenario",
        "store",
        "spans/s",
        "clew CPU s/M spans",
        "database CPU s/M",
        "cores",
        "RSS max MiB",
        "B/span on disk",
        "checkpoints",
    )
    table = _table("Ingest", *columns, "longest ms", "acknowledged", "stored (ledger)", "found", "lost")
    for result in results:
        table.add_row(
            result.name,
            result.store,
            f"{result.spans_per_s:,.0f}",
            f"{result.server_cpu_s_per_million:.1f}",
            f"{result.database_cpu_s_per_million:.1f}",
            f"{result.server_cores:.2f}",
            f"{result.rss_max_bytes / _MIB:,.0f}",
            f"{result.disk_bytes_per_span:.0f}",
            str(result.checkpoints),
            f"{result.checkpoint_max_ms:,.0f}",
            f"{result.acknowledged_spans:,}",
            f"{result.ledger_stored_spans:,}",
            f"{result.found_spans:,}",
            f"{result.lost_spans:,}",
        )
    return table


def streams_table(results: Sequence[IngestResult]) -> Table:
    """One row a stream: how long a sender waited for its acknowledgement."""
    table = _table(
        "Acknowledgements, ms p50 / p99 / max",
        *("scenario", "stream", "lanes", "spans/s", "overall", "through checkpoints", "between"),
        *("sender cores", "unsent", "refused"),
    )
    for result in results:
        for stream in result.streams:
            table.add_row(
                f"{result.name} {result.store}",
                stream.protocol + ("" if stream.asked_spans_per_s is None else f" @ {stream.asked_spans_per_s:,.0f}"),
                str(stream.lanes),
                f"{stream.spans_per_s:,.0f}",
                _three(stream.ack),
                _three(stream.ack_through_checkpoints),
                _three(stream.ack_between_checkpoints),
                f"{stream.sender_cpu_s / result.seconds:.2f}",
                f"{stream.unsent_requests:,}",
                ", ".join(f"{answer}: {count}" for answer, count in stream.refused_requests.items()) or "0",
            )
    return table


def reconstruction_table(results: Sequence[ReconstructionResult]) -> Table:
    """One row a trace: CPU seconds and memory."""
    columns = ("trace", "spans", "assemble s", "reconstruct s", "with Zipkin's clocks s", "render s")
    table = _table("Large traces", *columns, "peak MiB", "JSON MiB", "largest piece KiB")
    for result in results:
        table.add_row(
            result.trace,
            f"{result.spans:,}",
            f"{result.assemble_cpu_s:.2f}",
            f"{result.reconstruct_cpu_s:.2f}",
            f"{result.zipkin_clocks_cpu_s:.2f}",
            f"{result.render_cpu_s:.2f}",
            f"{result.peak_bytes / _MIB:,.0f}",
            f"{result.document_bytes / _MIB:,.0f}",
            f"{result.piece_bytes / 1024:,.0f}",
        )
    return table


def queries_table(result: QueriesResult) -> Table:
    """One row a question."""
    title = (
        f"{result.store}: {result.spans:,} spans, {result.disk_bytes_per_span:.0f} B/span on disk, filled at "
        f"{result.fill_spans_per_s:,.0f} spans/s; server RSS max {result.rss_max_bytes / _MIB:,.0f} MiB"
    )
    table = _table(title, "question", "API", "cold ms", "p50 ms", "p95 ms", "max ms", "asked", "answer KiB", "problems")
    for question in result.questions:
        warm = question.warm
        table.add_row(
            question.name,
            question.api,
            f"{question.cold_ms:,.1f}",
            _ms(warm.p50_ms),
            _ms(warm.p95_ms),
            _ms(warm.max_ms),
            str(warm.count),
            f"{question.answer_bytes / 1024:,.1f}",
            "; ".join(question.problems),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table


def _three(latencies: Latencies) -> str:
    return f"{_ms(latencies.p50_ms)} / {_ms(latencies.p99_ms)} / {_ms(latencies.max_ms)} ({latencies.count:,})"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
