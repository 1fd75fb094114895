"""One running clew: the store, the collector and the query side joined, the doors opened, and all of it closed again.

Closing mirrors opening: doors first, then the queue is drained, then the readers stop, then the store closes.
"""

import asyncio
import contextlib
import gc
import json
import logging
import signal
from collections.abc import Iterator

import click
from starlette.types import ASGIApp

from clew import VERSION
from clew.admin import Health, admin_app, metrics_app, status_app
from clew.archive import opened_archive
from clew.grpc_ports import GrpcServer
from clew.ports import HttpServer
from clew.settings import Settings
from clew.udp_ports import KernelDrops, UdpServer
from clew.uploads import OtlpUploads
from clew.zipkin_port import ZipkinPort
from collector.app import Collector
from collector.receivers.jaeger_udp import JaegerUdpReceiver
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
from storage.settings import CLOSED

log = logging.getLogger("clew")

MAX_QUESTION_BYTES = 64 * 1024
"""The largest request to a gRPC read window; Kiali's take some hundred bytes. It holds inflated, too."""


class Process:
    """One running clew. Parts are opened in order on a stack and closed in the mirrored order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._health = Health()
        self._doors: dict[str, str] = {}
        self._grpc_servers: list[GrpcServer] = []
        self._udp_servers: dict[str, UdpServer] = {}

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
            click.echo(json.dumps({"event": "ready", "doors": self._doors, "version": VERSION}))
            await stop.wait()
            log.info("stopping: closing the doors, then draining the queue")
            self._health.stopping()
            self._zipkin.stopping()
            for server in self._grpc_servers:
                await server.stopping()
        return drained.done() and drained.result()

    async def _open(self, stack: contextlib.AsyncExitStack) -> asyncio.Future[bool]:
        """Open everything; the future says, once the stack has closed, whether the queue was drained."""
        collecting, querying = self._settings.collector, self._settings.query
        about = self._settings.process
        self._serve(stack, "admin", about.admin_host_port, admin_app(self._health))
        self._serve(stack, "status", about.status_host_port, status_app(self._health))
        self._serve(stack, "metrics", about.metrics_host_port, metrics_app(self._health))
        store = open_store(self._settings.storage)
        await asyncio.to_thread(store.__enter__)
        drained = asyncio.get_running_loop().create_future()
        stack.push_async_callback(self._close_store, store, drained)
        archive = await stack.enter_async_context(opened_archive(self._settings.storage))
        reads = QueryMetrics()
        service = QueryService(MeasuredReader(store, reads.observe), querying, archive=archive)
        stack.push_async_callback(asyncio.to_thread, service.close)
        collector = Collector(collecting, self._retention(), store, VERSION)
        collector.metrics.registry.register(reads)
        self._health.metrics = collector.metrics
        collector.start()
        stack.push_async_callback(self._drain, collector, drained)
        self._zipkin = ZipkinPort(collector, service, store, doors=lambda: self._doors)
        self._serve(stack, "zipkin", collecting.zipkin_host_port, self._zipkin)
        self._serve(stack, "otlp_http", collecting.otlp_http_host_port, collector.otlp_http)
        ui = await asyncio.to_thread(jaeger_ui_of, service)
        jaeger = jaeger_app(service, uploads=OtlpUploads(collecting), ui=ui, doors=lambda: self._doors)
        self._serve(stack, "jaeger", querying.jaeger_host_port, jaeger)
        self._serve(stack, "tempo", querying.tempo_host_port, tempo_app(service))
        limit_bytes = collecting.max_body_bytes
        otlp_grpc = GrpcServer(collector.otlp_grpc.handlers(), limit_bytes, inflate=False)
        await self._serve_grpc(stack, "otlp_grpc", collecting.otlp_grpc_host_port, otlp_grpc)
        await self._serve_jaeger_ingest(stack, collector)
        questions = [*JaegerV2Grpc(service).handlers(), *JaegerV3Grpc(service).handlers()]
        jaeger_grpc = GrpcServer(questions, MAX_QUESTION_BYTES)
        await self._serve_grpc(stack, "jaeger_grpc", querying.jaeger_grpc_host_port, jaeger_grpc)
        remote = [*RemoteStorage(service).handlers(), *collector.otlp_grpc.handlers()]
        remote_storage = GrpcServer(remote, limit_bytes, healthy=HEALTHY, inflate=False)
        await self._serve_grpc(stack, "remote_storage", querying.remote_storage_host_port, remote_storage)
        return drained

    async def _serve_jaeger_ingest(self, stack: contextlib.AsyncExitStack, collector: Collector) -> None:
        collecting, jaeger = self._settings.collector, collector.jaeger
        await jaeger.strategies.start()
        stack.push_async_callback(jaeger.strategies.stop)
        self._serve(stack, "jaeger_thrift_http", collecting.jaeger_http_host_port, jaeger.http)
        self._serve(stack, "sampling_http", collecting.sampling_http_host_port, jaeger.sampling_http)
        spans = GrpcServer(jaeger.grpc_handlers(), collecting.max_body_bytes, inflate=False)
        await self._serve_grpc(stack, "jaeger_collector_grpc", collecting.jaeger_grpc_host_port, spans)
        sampling = GrpcServer(jaeger.sampling_grpc_handlers(), MAX_QUESTION_BYTES)
        await self._serve_grpc(stack, "sampling_grpc", collecting.sampling_grpc_host_port, sampling)
        compact, binary = collecting.jaeger_udp_compact_host_port, collecting.jaeger_udp_binary_host_port
        await self._serve_udp(stack, "jaeger_udp_compact", compact, jaeger.udp_compact)
        await self._serve_udp(stack, "jaeger_udp_binary", binary, jaeger.udp_binary)
        collector.metrics.registry.register(KernelDrops(self._udp_servers))

    def _retention(self) -> RetentionPolicy:
        storage = self._settings.storage
        return RetentionPolicy(storage.retention_ns or None, storage.retention_max_bytes or None)

    def _serve(self, stack: contextlib.AsyncExitStack, door: str, address: str, app: ASGIApp) -> None:
        if address == CLOSED:
            return
        with self._explained(address):
            server = HttpServer(app, address, self._settings.collector.drain_timeout_ns // 10**9)
        self._doors[door] = server.address
        stack.push_async_callback(server.stop)

    async def _serve_grpc(self, stack: contextlib.AsyncExitStack, door: str, address: str, server: GrpcServer) -> None:
        if address == CLOSED:
            return
        with self._explained(address):
            await server.start(address)
        self._doors[door] = server.address
        self._grpc_servers.append(server)
        stack.push_async_callback(server.stop, self._settings.collector.drain_timeout_ns / 1e9)

    async def _serve_udp(
        self, stack: contextlib.AsyncExitStack, door: str, address: str, receiver: JaegerUdpReceiver
    ) -> None:
        if address == CLOSED:
            return
        server = UdpServer(receiver.receive)
        with self._explained(address):
            await server.start(address)
        self._doors[door] = server.address
        self._udp_servers[door] = server
        stack.push_async_callback(receiver.drain, self._settings.collector.drain_timeout_ns / 1e9)
        stack.callback(server.stop)

    @contextlib.contextmanager
    def _explained(self, address: str) -> Iterator[None]:
        """An address that cannot be had is blamed on the settings that name it."""
        try:
            yield
        except OSError as error:
            names = " and ".join(self._settings.variables_of(address))
            raise OSError(f"{error}; give {names} another address, or {CLOSED} to leave that door closed") from error

    @staticmethod
    async def _drain(collector: Collector, drained: asyncio.Future[bool]) -> None:
        drained.set_result(await collector.stop())

    @staticmethod
    async def _close_store(store: SpanStore, drained: asyncio.Future[bool]) -> None:
        """A store that may still be writing is not closed under its writer: the end of the process does it."""
        if not drained.done() or drained.result():
            await asyncio.to_thread(store.__exit__, None, None, None)
