"""GET /api/clew/v1/doors: what comes in by each door, as the ledger books it, for those who set up their senders."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from query.api.jaeger_parameters import pretty
from query.render.jaeger_envelope import to_bytes
from query.render.jaeger_values import JsonObject


class SpanCounts(NamedTuple):
    """Spans, as the ledger names what became of them."""

    received: int = 0
    accepted: int = 0
    stored: int = 0
    rejected: int = 0
    dropped: int = 0


class DoorActivity(NamedTuple):
    """One way in. door: its name on the ready line; address: None while it is closed.

    total: since the start; recent: of the last minute. rejected, dropped: by reason, since the start.
    refused_payloads: requests whose spans were never known, by reason.
    """

    name: str
    door: str
    address: str | None
    total: SpanCounts
    recent: SpanCounts
    pending: int
    rejected: Mapping[str, int]
    dropped: Mapping[str, int]
    refused_payloads: Mapping[str, int]


class DoorsReport(NamedTuple):
    """Every way in, and how long the `recent` minute is in fact, in ns: less after a start, else up to 65 s."""

    doors: Sequence[DoorActivity]
    recent_ns: int


Activity = Callable[[], DoorsReport]
"""The report at this moment. It takes less than a millisecond."""


class ClewDoors:
    """The endpoint over `activity`; without one (a process that only answers questions) no door takes spans."""

    def __init__(self, activity: Activity | None) -> None:
        self._activity = activity or (lambda: DoorsReport((), 0))

    def routes(self) -> list[tuple[str, Callable[[Request], Awaitable[Response]]]]:
        """Every GET below /api/clew/v1/doors, by its path."""
        return [("/api/clew/v1/doors", self.doors)]

    async def doors(self, request: Request) -> Response:
        """Which ways in are open, and how many spans came, were stored, rejected and dropped, by door."""
        report = self._activity()
        body = {"recentNano": str(report.recent_ns), "doors": [_door_json(door) for door in report.doors]}
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return Response(to_bytes(body, pretty=pretty(request.query_params)), headers=headers)


def _door_json(door: DoorActivity) -> JsonObject:
    return {
        "name": door.name,
        "door": door.door,
        **({} if door.address is None else {"address": door.address}),
        "total": door.total._asdict() | {"pending": door.pending},
        "recent": door.recent._asdict(),
        "rejectedBy": dict(door.rejected),
        "droppedBy": dict(door.dropped),
        "refusedPayloadsBy": dict(door.refused_payloads),
    }
