"""One running clew: the store, the collector and the query side joined, the doors opened, and all of it closed again.

Closing mirrors opening: the doors, all at once; then the queue is drained, the readers stop, and the store closes.
"""

import asyncio
import contextlib
import gc
import json
import logging
import signal

import click

from clew import VERSION
from clew.admin import Health, admin_app, metrics_app, status_app
from clew.archive import opened_archive
from clew.doors import Doors
from clew.grpc_ports import GrpcServer
from clew.settings import Settings
from clew.udp_ports import KernelDrops
from clew.uploads import OtlpUploads
from clew.zipkin_port import ZipkinPort
from collector.app import Collector
from query.api.jaeger import jaeger_app
from query.api.jaeger_ui import jaeger_ui_of
from query.api.jaeger_v2_grpc import JaegerV2Grpc
from query.api.jaeger_v3_grpc import JaegerV3Grpc
from query.api.remote_storage import HEALTHY, RemoteStorage
from query.api.tempo import tempo_app
from query.measured_reader import MeasuredReader
from query.metrics import QueryMetrics
from query.service import QueryService
from storage.contract import SpanStore
from storage.factory import open_store
from storage.requests import RetentionPolicy

log = logging.getLogger("clew")

MAX_QUESTION_BYTES = 64 * 1024
"""The largest request to a gRPC read window; Kiali's take some hundred bytes. It holds inflated, too."""


class Process:
    """One running clew. Parts are opened in order on a stack and closed in the mirrored order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._health = Health()
        self._doors = Doors(settings)

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT. True when everything taken was stored and closed."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            drained = await self._open(stack)
            # What is loaded by now stays. Looking through it for cycles again and again stopped every thread for up to
            # 90 ms; what serving makes has hardly any.
            gc.collect()
            gc.freeze()
            self._health.ready()
            click.echo(json.dumps({"event": "ready", "doors": self._doors.shown, "version": VERSION}))
            await stop.wait()
            log.info("stopping: closing the doors, then draining the queue")
            self._health.stopping()
            self._zipkin.stopping()
            await self._doors.stopping()
        return drained.done() and drained.result()

    async def _open(self, stack: contextlib.AsyncExitStack) -> asyncio.Future[bool]:
        """Open everything; the future says, once the stack has closed, whether the queue was drained."""
        settings, doors = self._settings, self._doors
        await stack.enter_async_context(doors.closed_at_the_end())
        doors.open_http("admin", settings.process.admin_host_port, admin_app(self._health))
        doors.open_http("status", settings.process.status_host_port, status_app(self._health))
        doors.open_http("metrics", settings.process.metrics_host_port, metrics_app(self._health))
        store = open_store(settings.storage)
        await asyncio.to_thread(store.__enter__)
        drained = asyncio.get_running_loop().create_future()
        stack.push_async_callback(self._close_store, store, drained)
        archive = await stack.enter_async_context(opened_archive(settings.storage))
        reads = QueryMetrics()
        service = QueryService(MeasuredReader(store, reads.observe), settings.query, archive=archive)
        stack.push_async_callback(asyncio.to_thread, service.close)
        collector = Collector(settings.collector, self._retention(), store, VERSION)
        collector.metrics.registry.register(reads)
        self._health.metrics = collector.metrics
        collector.start()
        stack.push_async_callback(self._drain, collector, drained)
        await collector.jaeger.strategies.start()
        stack.push_async_callback(collector.jaeger.strategies.stop)
        await stack.enter_async_context(doors.closed_at_the_end())
        self._zipkin = ZipkinPort(collector, service, store, doors=lambda: doors.shown)
        doors.open_http("zipkin", settings.collector.zipkin_host_port, self._zipkin)
        await self._open_otlp(collector)
        await self._open_jaeger_collector(collector)
        await self._open_jaeger_query(service)
        await self._open_remote_storage(service, collector)
        doors.open_http("tempo", settings.query.tempo_host_port, tempo_app(service))
        return drained

    async def _open_otlp(self, collector: Collector) -> None:
        settings = self._settings.collector
        self._doors.open_http("otlp_http", settings.otlp_http_host_port, collector.otlp_http)
        server = GrpcServer(collector.otlp_grpc.handlers(), settings.max_body_bytes, inflate=False)
        await self._doors.open_grpc("otlp_grpc", settings.otlp_grpc_host_port, server)

    async def _open_jaeger_collector(self, collector: Collector) -> None:
        settings, jaeger, doors = self._settings.collector, collector.jaeger, self._doors
        doors.open_http("jaeger_thrift_http", settings.jaeger_http_host_port, jaeger.http)
        doors.open_http("sampling_http", settings.sampling_http_host_port, jaeger.sampling_http)
        spans = GrpcServer(jaeger.grpc_handlers(), settings.max_body_bytes, inflate=False)
        await doors.open_grpc("jaeger_collector_grpc", settings.jaeger_grpc_host_port, spans)
        sampling = GrpcServer(jaeger.sampling_grpc_handlers(), MAX_QUESTION_BYTES)
        await doors.open_grpc("sampling_grpc", settings.sampling_grpc_host_port, sampling)
        await doors.open_udp("jaeger_udp_compact", settings.jaeger_udp_compact_host_port, jaeger.udp_compact)
        await doors.open_udp("jaeger_udp_binary", settings.jaeger_udp_binary_host_port, jaeger.udp_binary)
        collector.metrics.registry.register(KernelDrops(doors.udp))

    async def _open_jaeger_query(self, service: QueryService) -> None:
        settings, doors = self._settings.query, self._doors
        ui = await asyncio.to_thread(jaeger_ui_of, service)
        uploads = OtlpUploads(self._settings.collector)
        app = jaeger_app(service, uploads=uploads, ui=ui, doors=lambda: doors.shown)
        doors.open_http("jaeger", settings.jaeger_host_port, app)
        questions = [*JaegerV2Grpc(service).handlers(), *JaegerV3Grpc(service).handlers()]
        await doors.open_grpc("jaeger_grpc", settings.jaeger_grpc_host_port, GrpcServer(questions, MAX_QUESTION_BYTES))

    async def _open_remote_storage(self, service: QueryService, collector: Collector) -> None:
        handlers = [*RemoteStorage(service).handlers(), *collector.otlp_grpc.handlers()]
        limit_bytes = self._settings.collector.max_body_bytes
        server = GrpcServer(handlers, limit_bytes, healthy=HEALTHY, inflate=False)
        await self._doors.open_grpc("remote_storage", self._settings.query.remote_storage_host_port, server)

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
