"""`python -m tests.benchmarks`: measure ingest and queries, print tables, write bench/*.json. Nothing is asserted."""

import json
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

import click
import psutil
from rich.console import Console

from tests.benchmarks.ingest import measure_ingest
from tests.benchmarks.ingest_results import IngestResult, Stream
from tests.benchmarks.population import PLAIN, REALISTIC
from tests.benchmarks.queries import QueriesResult, measure_queries
from tests.benchmarks.reconstruction import ReconstructionResult, measure_reconstructions
from tests.benchmarks.stores import NAMES as STORES
from tests.benchmarks.tables import ingest_table, queries_table, reconstruction_table, streams_table

_BENCH = Path("bench")
_SCENARIOS = {
    "otlp": (Stream("otlp", 24, None),),
    "zipkin": (Stream("zipkin", 256, None),),
    "mixed": (Stream("otlp", 64, 20_000.0), Stream("zipkin", 256, 5_000.0)),
    "otlp-paced": (Stream("otlp", 64, 50_000.0),),
    "zipkin-paced": (Stream("zipkin", 512, 15_000.0),),
}
console = Console(width=None if sys.stdout.isatty() else 180)


_store = click.option(
    "--store",
    "stores",
    multiple=True,
    type=click.Choice(STORES),
    envvar="STORE",
    default=("duckdb",),
    show_default=True,
    help="Which store; several are measured one after another and shown side by side.",
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Measure clew as its users meet it. Without a command: all of ingest, queries at 1, 10 and 50 M, large traces."""
    if context.invoked_subcommand is None:
        context.invoke(ingest)
        context.invoke(queries)
        context.invoke(reconstruction)


@main.command()
@click.argument("scenarios", nargs=-1, type=click.Choice(list(_SCENARIOS)))
@click.option("--seconds", default=60.0, show_default=True, help="How long each scenario sends.")
@click.option("--spans-per-s", type=float, help="Pace every stream to this rate instead of its own.")
@click.option("--lanes", type=int, help="Connections or calls in flight of every stream instead of its own.")
@_store
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting of the clew that is measured.")
def ingest(
    scenarios: Sequence[str],
    seconds: float,
    spans_per_s: float | None,
    lanes: int | None,
    stores: Sequence[str],
    given: Sequence[str],
) -> None:
    """Load on a fresh store: closed loop (otlp, zipkin), or paced (the others)."""
    results = []
    settings = dict(setting.split("=", 1) for setting in given)
    for name in scenarios or tuple(_SCENARIOS):
        streams = [
            Stream(stream.protocol, lanes or stream.lanes, spans_per_s or stream.spans_per_s)
            for stream in _SCENARIOS[name]
        ]
        for store in stores:
            console.print(f"{name}, {store}: sending for {seconds:g} s ...")
            directory = _emptied(_BENCH / "ingest")
            results.append(measure_ingest(name, streams, seconds, directory, settings, store))
            shutil.rmtree(directory)
    console.print(ingest_table(results), streams_table(results))
    _write("ingest", results)


@main.command()
@click.option("--millions", multiple=True, type=float, default=(1, 10, 50), show_default=True, help="Store sizes.")
@click.option("--keep/--no-keep", help="Keep filled DuckDB stores for the next time (about 100 bytes a span).")
@click.option("--realistic", is_flag=True, help="Traces of 10-200 spans, 40 services, several roots, late spans.")
@_store
def queries(millions: Sequence[float], keep: bool, realistic: bool, stores: Sequence[str]) -> None:
    """Reads over HTTP from stores of several sizes, filled first."""
    results = []
    for size, store in product(millions, stores):
        kind = f"{'' if store == 'duckdb' else f'{store}-'}{'realistic-' if realistic else ''}"
        directory = _BENCH / f"{kind}store-{size:g}M"
        if directory.exists() and not (directory / "population.json").exists():
            shutil.rmtree(directory)  # left behind half filled
        with console.status("") as status:
            shape = REALISTIC if realistic else PLAIN
            result = measure_queries(directory, round(size * 1_000_000), status.update, store, shape)
        console.print(queries_table(result))
        results.append(result)
        if not keep or store != "duckdb":
            shutil.rmtree(directory)
    _write("queries", results)


@main.command()
@click.option("--spans", default=100_000, show_default=True, help="How large each trace is.")
def reconstruction(spans: int) -> None:
    """Large traces of several shapes: tree, self times, critical path, summary and their JSON, without a store."""
    results = list(measure_reconstructions(spans))
    console.print(reconstruction_table(results))
    _write("reconstruction", results)


def _emptied(directory: Path) -> Path:
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return directory


def _write(
    name: str, results: Sequence[IngestResult] | Sequence[QueriesResult] | Sequence[ReconstructionResult]
) -> None:
    machine = {
        "cpus": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_average": psutil.getloadavg(),
    }
    _BENCH.mkdir(exist_ok=True)
    path = _BENCH / f"{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps({"machine": machine, "results": [asdict(result) for result in results]}, indent=1))
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
