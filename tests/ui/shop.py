"""The traffic of a shop, as its services would report it by OTLP: what the page's tests and screenshots show.

Always the same spans but for their times, which end at the moment that is given.
"""

import contextlib
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.process.clew_process import Clew

MS = 1_000_000
MINUTE = 60 * 10**9
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5

Reported = dict[str, list[dict[str, Any]]]
"""Spans in OTLP's JSON by the service that reports them."""


BASE_PATH = "/jaeger"
MINUTES = 30


@contextlib.contextmanager
def running_shop(directory: Path) -> Iterator[Clew]:
    """A clew, below BASE_PATH and without it, with MINUTES of traffic that end now; it is stopped at the end."""
    with Clew(directory, QUERY_BASE_PATH=BASE_PATH) as clew, httpx.Client(timeout=60) as client:
        for document in Traffic(time.time_ns()).documents(MINUTES, a_minute=12):
            client.post(f"{clew.url('otlp_http')}/v1/traces", json=document).raise_for_status()
        yield clew


@dataclass(frozen=True)
class Call:
    """What an operation calls. kind: service, db, host or queue; name: of it, with the system before a slash."""

    kind: str
    name: str


@dataclass(frozen=True)
class Operation:
    """What a service does for one call. work_ms: its own time; calls: what it asks others for, one after another."""

    name: str
    work_ms: float
    calls: tuple[Call, ...] = ()
    fails: float = 0.002


def _calls(text: str) -> tuple[Call, ...]:
    return tuple(Call(*word.split(":")) for word in text.split())


SERVICES: dict[str, tuple[Operation, ...]] = {
    "gateway": (
        Operation("GET /", 0.8, _calls("service:frontend")),
        Operation("GET /api/products", 0.6, _calls("service:catalog")),
        Operation("POST /api/checkout", 1.0, _calls("service:checkout")),
    ),
    "frontend": (Operation("render home", 2.0, _calls("service:catalog service:recommend service:cart service:ads")),),
    "checkout": (
        Operation("place order", 2.5, _calls("service:cart service:payment service:shipping service:email"), 0.01),
    ),
    "catalog": (Operation("list products", 0.9, _calls("db:redis/cache db:postgresql/catalog")),),
    "cart": (Operation("get cart", 0.5, _calls("db:redis/carts")),),
    "recommend": (Operation("rank", 3.0, _calls("service:catalog service:features")),),
    "features": (Operation("lookup", 0.4, _calls("db:redis/features")),),
    "ads": (Operation("get ads", 1.2, _calls("db:elasticsearch/ads"), 0.02),),
    "payment": (Operation("charge", 4.0, _calls("host:api.stripe.com service:fraud"), 0.06),),
    "fraud": (Operation("score", 2.2, _calls("service:features db:postgresql/fraud")),),
    "shipping": (Operation("ship order", 1.4, _calls("host:api.epost.go.kr queue:kafka/orders")),),
    "email": (Operation("send confirmation", 5.0, _calls("host:smtp.mailgun.org"), 0.03),),
    "warehouse": (Operation("orders process", 6.0, _calls("db:postgresql/warehouse")),),
}
_MEAN_MS = {"db": 1.6, "host": 45.0}
_ENTRIES = (0.5, 0.35, 0.15)


@dataclass
class Traffic:
    """Traces that end before end_ns. seed: which ones; end_ns: epoch nanoseconds."""

    end_ns: int
    seed: int = 7
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def documents(self, minutes: int, a_minute: int) -> Iterator[dict[str, Any]]:
        """An export request for each minute, the oldest first. For seven of them calls outside are slow."""
        for minute in range(minutes, 0, -1):
            spans: Reported = {}
            slow = 4.0 if 8 <= minute < 15 else 1.0
            for _ in range(int(a_minute * (1 + 0.4 * math.sin(minute / 5)))):
                start = self.end_ns - minute * MINUTE + self._random.randrange(50 * 10**9)
                (entry,) = self._random.choices(SERVICES["gateway"], _ENTRIES)
                self._serve(spans, self._id(16), None, "gateway", entry, start, slow)
            yield export_request(spans)

    def _serve(
        self,
        spans: Reported,
        trace: str,
        parent: str | None,
        service: str,
        operation: Operation,
        start: int,
        slow: float,
        kind: int = SERVER,
    ) -> tuple[int, bool]:
        """Adds what the operation reports; its end, and whether it failed."""
        own = self._id(8)
        at = start + self._spent(operation.work_ms / 2)
        failed = self._random.random() < operation.fails
        for call in operation.calls:
            if self._random.random() < 0.06:
                continue
            at, broken = self._call(spans, trace, own, service, call, at, slow)
            failed = failed or (broken and self._random.random() < 0.5)
        end = at + self._spent(operation.work_ms / 2)
        told: dict[str, str | int] = {"http.route": operation.name, "http.response.status_code": 500 if failed else 200}
        if kind == CONSUMER:
            told = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
        spans.setdefault(service, []).append(a_span(trace, own, parent, operation.name, kind, start, end, told, failed))
        return end, failed

    def _call(
        self,
        spans: Reported,
        trace: str,
        parent: str,
        service: str,
        call: Call,
        start: int,
        slow: float,
    ) -> tuple[int, bool]:
        own, failed = self._id(8), False
        name, kind, attributes = call.name, CLIENT, dict[str, str | int]()
        system, _, of_system = call.name.partition("/")
        match call.kind:
            case "service":
                operation = self._random.choice(SERVICES[call.name])
                end, failed = self._serve(spans, trace, own, call.name, operation, start + 200_000, slow)
                end += 200_000
                name = operation.name
            case "queue":
                kind, end = PRODUCER, start + self._spent(0.4)
                attributes = {"messaging.system": system, "messaging.destination.name": of_system}
                name = f"{of_system} publish"
                self._consume(spans, trace, own, of_system, end, slow)
            case "host":
                end = start + self._spent(_MEAN_MS["host"] * slow)
                failed = self._random.random() < 0.03
                attributes = {"server.address": call.name, "http.request.method": "POST"}
                name = "POST"
            case _:
                end = start + self._spent(_MEAN_MS["db"])
                attributes = {"db.system": system, "db.namespace": of_system, "server.address": f"{of_system}.internal"}
                name = f"{system} query"
        spans.setdefault(service, []).append(a_span(trace, own, parent, name, kind, start, end, attributes, failed))
        return end, failed

    def _consume(self, spans: Reported, trace: str, parent: str, queue: str, at: int, slow: float) -> None:
        (operation,) = SERVICES["warehouse"]
        start = at + self._spent(20)
        self._serve(spans, trace, parent, "warehouse", operation, start, slow, kind=CONSUMER)

    def _spent(self, mean_ms: float) -> int:
        return int(self._random.lognormvariate(0, 0.5) * mean_ms * MS)

    def _id(self, size: int) -> str:
        return self._random.getrandbits(size * 8).to_bytes(size, "big").hex()


def a_span(
    trace: str,
    span: str,
    parent: str | None,
    name: str,
    kind: int,
    start: int,
    end: int,
    attributes: dict[str, str | int] | None = None,
    failed: bool = False,
) -> dict[str, Any]:
    """A span in OTLP's JSON."""
    return {
        "traceId": trace,
        "spanId": span,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": attributes_json(attributes or {}),
        **({"status": {"code": 2, "message": "upstream timed out"}} if failed else {}),
    }


def attributes_json(attributes: dict[str, str | int]) -> list[dict[str, Any]]:
    """OTLP's list of attributes."""
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in attributes.items()
    ]


def export_request(spans: Reported) -> dict[str, Any]:
    """The spans of each service as one request."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes_json({"service.name": service, "service.version": "1.4.2"})},
                "scopeSpans": [{"spans": reported}],
            }
            for service, reported in spans.items()
        ]
    }
