"""9411, the port where both rivers meet: spans in, Zipkin's read API out."""

import json
from typing import ClassVar

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clew import VERSION
from clew.grpc_introspection import INTROSPECTION_PATHS, GrpcIntrospection
from collector.app import Collector
from collector.metrics import CONTENT_TYPE
from collector.receivers.zipkin_grpc import REPORT_PATH
from collector.receivers.zipkin_grpc import SERVICE as ZIPKIN_SERVICE
from collector.receivers.zipkin_http import SPAN_PATHS
from query.api.zipkin import zipkin_app
from query.errors import QueryTimeout
from query.render.zipkin_health import health_json, health_timeout_json, info_json
from query.service import QueryService
from storage.contract import SpanReader, SpanStore
from storage.errors import StorageError
from wire import zipkin_pb2 as _described_by_reflection  # noqa: F401


class ZipkinPort:
    """9411: spans to the collector, everything else to the read API, and what Zipkin answers about itself."""

    def __init__(self, collector: Collector, service: QueryService, store: SpanStore) -> None:
        self._spans = collector.zipkin_spans
        self._grpc_spans = collector.zipkin_grpc
        self._introspection = GrpcIntrospection([ZIPKIN_SERVICE])
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
        door = self._door_of(scope)
        if door is not None and not any(name == b"origin" for name, _ in scope["headers"]):
            await door(scope, receive, send)
        else:
            await self._with_cors(scope, receive, send)

    def stopping(self) -> None:
        """Tell gRPC health checks so, and end the gRPC calls that would go on for ever."""
        self._introspection.stopping()

    def _door_of(self, scope: Scope) -> ASGIApp | None:
        """Who takes this post; None when it is for the read API, or no post."""
        path: str = scope["path"]
        if scope["method"] != "POST":
            return None
        if path.endswith(SPAN_PATHS):
            return self._spans
        if path == REPORT_PATH:
            return self._grpc_spans
        return self._introspection if path in INTROSPECTION_PATHS else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        door = self._door_of(scope)
        if door is not None:
            await door(scope, receive, send)
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
