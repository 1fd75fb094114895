"""GET /api/clew/v1/doors: what comes in by each door."""

import httpx

from query.api.clew_doors import DoorActivity, DoorsReport, SpanCounts
from query.api.jaeger import jaeger_app
from query.service import QueryService
from query.settings import QuerySettings
from storage.memory import MemoryStore
from tests.query.jaeger.conftest import Door

ZIPKIN = DoorActivity(
    name="zipkin_http",
    door="zipkin",
    address="0.0.0.0:9411",
    total=SpanCounts(received=12, accepted=10, stored=7, rejected=2, dropped=1),
    recent=SpanCounts(received=5, accepted=5, stored=5),
    pending=2,
    rejected={"malformed": 2},
    dropped={"store_full": 1},
    refused_payloads={"too_large": 3},
)


async def test_the_doors_and_their_counts_are_answered() -> None:
    service = QueryService(MemoryStore(max_spans=10, autocomplete_keys=()), QuerySettings.model_validate({}))
    app = jaeger_app(service, activity=lambda: DoorsReport([ZIPKIN, ZIPKIN._replace(address=None)], 61 * 10**9))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clew") as client:
        response = await client.get("/api/clew/v1/doors")
    service.close()

    answer = response.json()
    assert (answer["recentNano"], response.headers["cache-control"]) == ("61000000000", "no-store")
    assert answer["doors"][0] == {
        "name": "zipkin_http",
        "door": "zipkin",
        "address": "0.0.0.0:9411",
        "total": {"received": 12, "accepted": 10, "stored": 7, "rejected": 2, "dropped": 1, "pending": 2},
        "recent": {"received": 5, "accepted": 5, "stored": 5, "rejected": 0, "dropped": 0},
        "rejectedBy": {"malformed": 2},
        "droppedBy": {"store_full": 1},
        "refusedPayloadsBy": {"too_large": 3},
    }
    assert "address" not in answer["doors"][1]


async def test_a_process_that_takes_no_spans_has_no_such_doors(door: Door) -> None:
    assert await door.json("/api/clew/v1/doors") == {"recentNano": "0", "doors": []}
