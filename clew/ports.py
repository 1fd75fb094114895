"""What listens: sockets, the HTTP server on them, and the two ports that belong to no single river."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from typing import ClassVar

import uvicorn
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clew import VERSION
from collector.app import Collector
from collector.metrics import CONTENT_TYPE
from collector.receivers.zipkin_http import SPAN_PATHS
from query.api.zipkin import zipkin_app
from query.errors import QueryTimeout
from query.render.zipkin_health import health_json, health_timeout_json, info_json
from query.service import QueryService
from storage.contract import SpanReader, SpanStore
from storage.errors import StorageError
from storage.settings import host_and_port


class ZipkinPort:
    """9411: spans to the collector, everything else to the read API, and what Zipkin answers about itself."""

    def __init__(self, collector: Collector, service: QueryService, store: SpanStore) -> None:
        self._spans = collector.zipkin_spans
        self._metrics = collector.metrics
        self._service = service
        self._store = store
        self._read_api = collector.metrics.http_requests.measured(zipkin_app(service))
        self._with_cors = CORSMiddleware(
            self._answer,
            allow_origins=service.settings.allowed_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("content-type", "x-grpc-web"),
            expose_headers=("grpc-status", "grpc-message", "armeria.grpc.ThrowableProto-bin"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A proxy's post has no origin, and 3000 of them a second pay for every layer they pass.
        if _is_span_post(scope) and not any(name == b"origin" for name, _ in scope["headers"]):
            await self._spans(scope, receive, send)
        else:
            await self._with_cors(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if _is_span_post(scope):
            await self._spans(scope, receive, send)
        elif scope["method"] == "GET" and path.removeprefix("/actuator") in self._ABOUT:
            answer = await self._ABOUT[path.removeprefix("/actuator")](self)
            await answer(scope, receive, send)
        else:
            await self._read_api(scope, receive, send)

    async def _health(self) -> Response:
        try:
            problem = await self._service.read(self._store_problem)
        except QueryTimeout:
            status, body = health_timeout_json()
        else:
            status, body = health_json({f"{self._store.name}{{}}": problem})
        return Response(body, status, media_type="application/json; charset=utf-8")

    def _store_problem(self, _reader: SpanReader) -> str | None:
        try:
            self._store.check()
        except StorageError as error:
            return f"{type(error).__name__}: {error}"
        return None

    async def _info(self) -> Response:
        return Response(info_json(VERSION, ""), media_type="application/json; charset=utf-8")

    async def _zipkin_metrics(self) -> Response:
        return Response(json.dumps(self._metrics.zipkin_metrics()), media_type="application/json")

    async def _prometheus(self) -> Response:
        return Response(self._metrics.exposition(), media_type=CONTENT_TYPE)

    _ABOUT: ClassVar = {"/health": _health, "/info": _info, "/metrics": _zipkin_metrics, "/prometheus": _prometheus}


def _is_span_post(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.endswith(SPAN_PATHS) and scope["method"] == "POST"


class _BoundedHead(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with a bound on a request's line and headers, which httptools would keep for ever."""

    MAX_HEAD_BYTES = 64 * 1024
    _head_bytes = 0
    _in_head = True

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.MAX_HEAD_BYTES + len(data):
                self.transport.close()
                return
        super().data_received(data)


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """An ASGI application on a port of its own, from the moment it is made until `stop`.

    address: as storage.settings.HostPort. grace_s: how long `stop` waits for running requests. OSError names an
    address that cannot be had. Needs a running event loop.
    """

    def __init__(self, app: ASGIApp, address: str, grace_s: int) -> None:
        listener = _listening_socket(address)
        self.address = shown_address(*listener.getsockname()[:2])
        config = uvicorn.Config(
            app,
            http=_BoundedHead,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, grace_s),
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        """Accept no more, let running requests end, and return."""
        self._server.should_exit = True
        await self._serving


def shown_address(host: str, port: int) -> str:
    """`host:port` as the ready line has it; every address is 0.0.0.0."""
    if host in ("", "::"):
        return f"0.0.0.0:{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listening_socket(address: str) -> socket.socket:
    host, port = host_and_port(address)
    dual = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=dual)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror or error}") from error
