"""`http_server_requests_seconds` of 9411 as Zipkin's actuator has it (zipkin.md 1.12): dashboards read it."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROUTES = frozenset(
    {
        "/api/v1/spans",
        "/api/v2/spans",
        "/api/v2/services",
        "/api/v2/remoteServices",
        "/api/v2/traces",
        "/api/v2/traceMany",
        "/api/v2/dependencies",
        "/api/v2/autocompleteKeys",
        "/api/v2/autocompleteValues",
    }
)
_TRACE = "/api/v2/trace/"
_UNCOUNTED = ("/health", "/info", "/metrics", "/prometheus", "/actuator", "/zipkin")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def uri_of(path: str, status: int) -> str | None:
    """The `uri` label: a route, REDIRECTION or NOT_FOUND; None for what is not counted (health, metrics, the page)."""
    path = path.removeprefix("/zipkin") if path.startswith("/zipkin/api/") else path
    if path in _ROUTES:
        return path
    if path.startswith(_TRACE):
        return "/api/v2/trace/{traceId}"
    if any(path == root or path.startswith(root + "/") for root in _UNCOUNTED):
        return None
    return "REDIRECTION" if 300 <= status < 400 else "NOT_FOUND"


class HttpRequests:
    """Counts the requests of one HTTP port. Any thread."""

    def __init__(self, registry: CollectorRegistry, perf_counter: Callable[[], float] = time.perf_counter) -> None:
        self._perf_counter = perf_counter
        self._seconds = Histogram(
            "http_server_requests_seconds",
            "Requests answered on the Zipkin port.",
            ("method", "status", "uri"),
            registry=registry,
            buckets=_BUCKETS_S,
        )

    def observe(self, method: str, path: str, status: int, elapsed_s: float) -> None:
        """A request was answered."""
        uri = uri_of(path, status)
        if uri is not None:
            known_method = method if method in _METHODS else "UNKNOWN"
            self._seconds.labels(known_method, str(status), uri).observe(elapsed_s)

    def measured(self, app: ASGIApp) -> ASGIApp:
        """The same application, its HTTP requests counted."""

        async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            begun_s = self._perf_counter()
            status = 500

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                self.observe(scope["method"], scope["path"], status, self._perf_counter() - begun_s)

        return measuring
