"""Jaeger's JSON API over a store in memory, asked as a client asks it. The clock stands at NOW_NS."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from query.api.jaeger import jaeger_app
from query.service import QueryService
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.contract import SpanReader
from storage.memory import MemoryStore
from storage.span import Span
from tests.builders import HOUR, TODAY_NS

NOW_NS = TODAY_NS + HOUR


class Door:
    """Port 16686, and the store behind it."""

    def __init__(self, settings: QuerySettings, reader: SpanReader | None) -> None:
        self.store = MemoryStore(max_spans=100_000, autocomplete_keys=())
        self.service = QueryService(reader or self.store, settings)
        app = jaeger_app(self.service, now_ns=lambda: NOW_NS)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://clew", headers={"accept-encoding": ""})

    def write(self, *spans: Span) -> None:
        self.store.write(SpanBatch.of(spans, received_ns=NOW_NS))

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """The answer to a GET; parameters are added to the path's own."""
        return await self.client.get(path, params=parameters or None)

    async def json(self, path: str, **parameters: Any) -> Any:
        """The envelope at a path that must answer 200."""
        response = await self.get(path, **parameters)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()

    async def data(self, path: str, **parameters: Any) -> Any:
        """What the envelope holds."""
        return (await self.json(path, **parameters))["data"]

    async def refusal(self, path: str, **parameters: Any) -> str:
        """The message of a 400."""
        response = await self.get(path, **parameters)
        assert response.status_code == 400, response.text
        return str(response.json()["errors"][0]["msg"])


OpenDoor = Callable[..., Door]


@pytest.fixture
async def open_door() -> AsyncIterator[OpenDoor]:
    """`open_door(reader=None, **settings)`: a door with these QuerySettings (by field name), closed after the test."""
    doors: list[Door] = []

    def open_one(reader: SpanReader | None = None, **settings: Any) -> Door:
        doors.append(Door(QuerySettings(**settings), reader))
        return doors[-1]

    yield open_one
    for door in doors:
        await door.client.aclose()
        door.service.close()


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    return open_door()
