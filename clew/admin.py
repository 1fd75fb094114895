"""What clew says of itself to operators, on the ports where Jaeger's two generations say it.

14269 is Jaeger v1's admin port; 13133 and 8888 are the status and metrics ports of v2. All three open before the
store does, so that a slow start is seen as 503 and not as a refused connection. While the store does not answer they
say 503, too: that is readiness. Whether the process lives, for a probe that would kill it, is /live on 13133.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import Enum

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clew import VERSION
from collector.metrics import CONTENT_TYPE, CollectorMetrics
from storage.durations import go_duration

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time, which Jaeger shows as long as it is not up."""


class State(Enum):
    """Where the process is in its life, by the name that the OpenTelemetry collector has for it."""

    STARTING = "StatusStarting"
    RUNNING = "StatusOK"
    STORE_LOST = "StatusRecoverableError"
    STOPPING = "StatusStopping"


class Health:
    """Whether clew is ready, and since when: every door is open, and the store answers.

    now: the wall clock; monotonic_ns: a clock that never goes back, for the uptime.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.metrics: CollectorMetrics | None = None
        self._now = now
        self._monotonic_ns = monotonic_ns
        self._started = now()
        self._problem: str | None = None
        self._enter(State.STARTING)

    def ready(self) -> None:
        """Every door is open."""
        self._enter(State.RUNNING if self._problem is None else State.STORE_LOST)

    def store(self, problem: str | None) -> None:
        """What is wrong with the store from now on, or None."""
        self._problem = problem
        if self._state in (State.RUNNING, State.STORE_LOST):
            self.ready()

    def stopping(self) -> None:
        """No new work is wanted."""
        self._enter(State.STOPPING)

    def http_status(self) -> int:
        """200 while running, else 503."""
        return 200 if self._state is State.RUNNING else 503

    def as_jaeger_v1(self) -> dict[str, str]:
        """The JSON of 14269."""
        if self._state is not State.RUNNING:
            return {"status": "Server not available", "upSince": NEVER, "uptime": ""}
        uptime = go_duration(self._monotonic_ns() - self._since_ns)
        return {"status": "Server available", "upSince": _rfc3339(self._since), "uptime": uptime}

    def as_jaeger_v2(self) -> dict[str, object]:
        """The JSON of 13133, which is the OpenTelemetry collector's healthcheckv2 extension's."""
        return {
            "start_time": _rfc3339(self._started),
            "healthy": self._problem is None,
            "status": self._state.value,
            **({} if self._problem is None else {"error": self._problem}),
            "status_time": _rfc3339(self._since),
        }

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = self._now()
        self._since_ns = self._monotonic_ns()


def admin_app(health: Health) -> ASGIApp:
    """14269: /metrics, /version, and Jaeger v1's health answer for every other path.

    Go's profiles and variables (/debug/...) are a 404: there is no Go runtime to show.
    """

    async def answer(path: str) -> Response:
        if path == "/metrics":
            return await _metrics(health)
        if path == "/version":
            return _json({"gitCommit": "", "gitVersion": VERSION, "buildDate": ""})
        if path.startswith("/debug/"):
            return PlainTextResponse("clew is no Go program and has no /debug pages; see /metrics\n", 404)
        return _json(health.as_jaeger_v1(), health.http_status())

    return _answering(answer)


def status_app(health: Health) -> ASGIApp:
    """13133: /status, as Jaeger v2 answers probes, and /live, which is 200 as long as the process answers at all."""

    async def answer(path: str) -> Response:
        if path == "/live":
            return PlainTextResponse("clew lives\n")
        return _json(health.as_jaeger_v2(), health.http_status()) if path == "/status" else _not_found()

    return _answering(answer)


def metrics_app(health: Health) -> ASGIApp:
    """8888: /metrics, the same as on 14269, where Jaeger v2 has its own."""

    async def answer(path: str) -> Response:
        return await _metrics(health) if path == "/metrics" else _not_found()

    return _answering(answer)


async def _metrics(health: Health) -> Response:
    if health.metrics is None:
        return PlainTextResponse("clew is starting and counts nothing yet\n", 503)
    return Response(await asyncio.to_thread(health.metrics.exposition), media_type=CONTENT_TYPE)


def _not_found() -> Response:
    return PlainTextResponse("404 page not found\n", 404)


def _json(document: Mapping[str, object], status: int = 200) -> Response:
    return Response(json.dumps(document, separators=(",", ":")), status, media_type="application/json")


def _answering(answer: Callable[[str], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(scope["path"])
        await response(scope, receive, send)

    return app


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
