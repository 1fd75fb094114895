"""9411, the port where both rivers meet: spans in, Zipkin's read API out. A process of one role serves its half."""

import grpc
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from clew.grpc_introspection import INTROSPECTION_PATHS, GrpcIntrospection
from clew.zipkin_about import ZipkinAbout
from collector.app import Collector
from collector.receivers.grpc_http import GrpcCall
from collector.receivers.zipkin_grpc import REPORT_PATH
from collector.receivers.zipkin_grpc import SERVICE as ZIPKIN_SERVICE
from collector.receivers.zipkin_http import SPAN_PATHS
from query.settings import QuerySettings
from wire import zipkin_pb2 as _described_by_reflection  # noqa: F401

NO_COLLECTOR = "this clew only answers questions (CLEW_ROLE=query); send spans to a collector"
NO_QUERY = "this clew only collects spans (CLEW_ROLE=collector); ask a query server"


class ZipkinPort:
    """9411: spans to the collector, everything else to the read API, and what Zipkin answers about itself.

    collector, read_api: None when the process has another role; who comes for it is told so (501, UNIMPLEMENTED).
    """

    def __init__(
        self, settings: QuerySettings, about: ZipkinAbout, collector: Collector | None, read_api: ASGIApp | None
    ) -> None:
        self._spans: ASGIApp = collector.zipkin_spans if collector else _not_here(NO_COLLECTOR)
        self._grpc_spans: ASGIApp = collector.zipkin_grpc if collector else _no_grpc_spans
        self._introspection = GrpcIntrospection([ZIPKIN_SERVICE] if collector else [])
        self._about = about.endpoints
        self._read_api = read_api or _not_here(NO_QUERY)
        self._with_cors = CORSMiddleware(
            self._answer,
            allow_origins=settings.allowed_origins,
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

    def serving(self, *, is_serving: bool) -> None:
        """Answer gRPC health checks so from now on."""
        self._introspection.serving(is_serving=is_serving)

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
        elif scope["method"] == "GET" and path in self._about:
            answer = await self._about[path]()
            await answer(scope, receive, send)
        else:
            await self._read_api(scope, receive, send)


def _not_here(why: str) -> ASGIApp:
    return PlainTextResponse(f"{why}\n", 501)


async def _no_grpc_spans(scope: Scope, receive: Receive, send: Send) -> None:
    call = GrpcCall(scope, receive, send)
    if not await call.refused_as_no_call():
        await call.finish(grpc.StatusCode.UNIMPLEMENTED, NO_COLLECTOR)
