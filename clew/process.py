"""One running clew: the store, the collector and the query side joined, the doors opened, and all of it closed again.

A process of one role has one of the two rivers. Closing mirrors opening: the doors, all at once; then the queue is
drained, the readers stop, and the store closes.
"""

import asyncio
import contextlib
import gc
import json
import logging
import signal

import click
from starlette.types import ASGIApp

from clew import VERSION
from clew.admin import Health, admin_app, metrics_app, status_app
from clew.allocator import give_code_back
from clew.archive import opened_archive
from clew.door_watch import DoorWatch
from clew.doors import Doors
from clew.ingest_doors import open_ingest_doors
from clew.read_doors import open_read_doors
from clew.roles import refuse_split
from clew.settings import Settings
from clew.store_opening import open_patiently
from clew.store_watch import StoreWatch
from clew.uploads import file_uploads
from clew.zipkin_about import ZipkinAbout
from clew.zipkin_port import ZipkinPort
from collector.app import Collector
from collector.budget import ByteBudget
from collector.ledger import Ledger
from collector.metrics import CollectorMetrics
from collector.preparing import prepare
from query.api.clew_doors import Activity
from query.api.clew_uploads import FileUploads
from query.api.zipkin import zipkin_app
from query.measured_reader import MeasuredReader
from query.metrics import QueryMetrics
from query.service import QueryService
from storage.contract import SpanStore
from storage.factory import open_archive, open_store
from storage.requests import RetentionPolicy

log = logging.getLogger("clew")

_GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""How many new objects, and how many looks at them, before the collector of garbage looks (again, further back).

By Python's own numbers, 700 and 10, it looked 560 times while a trace of 50,000 spans was read: an eighth of the time.
"""


class Process:
    """One running clew. Parts are opened in order on a stack and closed in the mirrored order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._role = settings.process.role
        self._health = Health()
        self._doors = Doors(settings)
        self._reads = QueryMetrics()

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT. True when everything taken was stored and closed."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            drained = await self._open(stack, stop)
            # What is loaded by now stays. Looking through it for cycles again and again stopped every thread for up to
            # 90 ms; what serving makes has hardly any.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_GARBAGE_THRESHOLDS)
            give_code_back()
            self._health.ready()
            click.echo(json.dumps({"event": "ready", "doors": self._doors.shown, "version": VERSION}))
            await stop.wait()
            log.info("stopping: closing the doors, then draining the queue")
            self._health.stopping()
            self._zipkin.stopping()
            await self._doors.stopping()
        return drained.done() and drained.result()

    async def _open(self, stack: contextlib.AsyncExitStack, stop: asyncio.Event) -> asyncio.Future[bool]:
        """Open everything; the future says, once the stack has closed, whether the queue was drained."""
        settings, doors = self._settings, self._doors
        await stack.enter_async_context(doors.closed_at_the_end())
        doors.open_http("admin", settings.process.admin_host_port, admin_app(self._health))
        doors.open_http("status", settings.process.status_host_port, status_app(self._health))
        doors.open_http("metrics", settings.process.metrics_host_port, metrics_app(self._health))
        store, archive = self._stores()
        await open_patiently(store, settings.storage, stop)
        drained = asyncio.get_running_loop().create_future()
        stack.push_async_callback(self._close_store, store, drained)
        watch = StoreWatch(store, self._on_store)
        stack.push_async_callback(watch.stop)
        service = await self._open_service(stack, store, archive) if self._role.reads else None
        collector = await self._open_collector(stack, store, drained) if self._role.collects else None
        metrics = collector.metrics if collector else _metrics_of_no_collector()
        if collector is None:
            drained.set_result(True)
        metrics.registry.register(self._reads)
        self._health.metrics = metrics
        await stack.enter_async_context(doors.closed_at_the_end())
        activity = await self._watched(stack, collector) if collector else None
        files = file_uploads(settings.collector)
        reads = metrics.http_requests.measured(self._zipkin_reads(service, files, activity)) if service else None
        self._zipkin = ZipkinPort(settings.query, ZipkinAbout(watch, metrics), collector, reads)
        doors.open_http("zipkin", settings.collector.zipkin_host_port, self._zipkin)
        if collector:
            await open_ingest_doors(doors, settings, collector)
        if service:
            await open_read_doors(doors, settings, service, collector, files, activity)
        watch.start()
        return drained

    def _stores(self) -> tuple[SpanStore, SpanStore | None]:
        """The store, and the archive of those who read; not yet open."""
        store = open_store(self._settings.storage)
        refuse_split(self._role, store, "CLEW_STORAGE_URL")
        archive = open_archive(self._settings.storage) if self._role.reads else None
        if archive is not None:
            refuse_split(self._role, archive, "CLEW_ARCHIVE_URL")
        return store, archive

    async def _open_service(
        self, stack: contextlib.AsyncExitStack, store: SpanStore, archive: SpanStore | None
    ) -> QueryService:
        kept = await stack.enter_async_context(opened_archive(archive))
        service = QueryService(MeasuredReader(store, self._reads.observe), self._settings.query, archive=kept)
        stack.push_async_callback(asyncio.to_thread, service.close)
        return service

    def _zipkin_reads(self, service: QueryService, files: FileUploads, activity: Activity | None) -> ASGIApp:
        return zipkin_app(service, files=files, doors=lambda: self._doors.shown, activity=activity)

    async def _watched(self, stack: contextlib.AsyncExitStack, collector: Collector) -> Activity:
        watch = DoorWatch(collector.ledger.books, lambda: self._doors.shown)
        await stack.enter_async_context(watch.looking())
        return watch.report

    async def _open_collector(
        self, stack: contextlib.AsyncExitStack, store: SpanStore, drained: asyncio.Future[bool]
    ) -> Collector:
        await asyncio.to_thread(prepare)
        collector = Collector(self._settings.collector, self._retention(), store, VERSION)
        collector.start()
        stack.push_async_callback(self._drain, collector, drained)
        await collector.jaeger.strategies.start()
        stack.push_async_callback(collector.jaeger.strategies.stop)
        return collector

    async def _on_store(self, problem: str | None) -> None:
        """Readiness follows the store, on every port that tells of it."""
        self._health.store(problem)
        self._zipkin.serving(is_serving=problem is None)
        await self._doors.serving(is_serving=problem is None)

    def _retention(self) -> RetentionPolicy:
        storage = self._settings.storage
        return RetentionPolicy(storage.retention_ns or None, storage.retention_max_bytes or None)

    @staticmethod
    async def _drain(collector: Collector, drained: asyncio.Future[bool]) -> None:
        drained.set_result(await collector.stop())

    @staticmethod
    async def _close_store(store: SpanStore, drained: asyncio.Future[bool]) -> None:
        """A store that may still be writing is not closed under its writer: the end of the process does it."""
        if not drained.done() or drained.result():
            await asyncio.to_thread(store.__exit__, None, None, None)


def _metrics_of_no_collector() -> CollectorMetrics:
    """The same families as a collector's, with nothing counted."""
    return CollectorMetrics(Ledger(), ByteBudget(0), VERSION)
