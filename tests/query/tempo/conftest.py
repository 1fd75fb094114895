"""Tempo's API over a store in memory."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from query.api.tempo import tempo_app
from query.archive import TraceArchive
from query.settings import QuerySettings
from storage.contract import SpanReader
from tests.query.door import NOW_NS, HttpDoor, doors

__all__ = ["NOW_NS", "Door", "OpenDoor"]


class Door(HttpDoor):
    """Port 3200."""

    def __init__(self, settings: QuerySettings, reader: SpanReader | None, archive: TraceArchive | None) -> None:
        super().__init__(lambda service: tempo_app(service, now_ns=lambda: NOW_NS), settings, reader, archive)

    async def search(self, q: str = "{}", **parameters: Any) -> Any:
        """The traces that a search finds."""
        return (await self.json("/api/search", q=q, **parameters))["traces"]

    async def found(self, q: str = "{}", **parameters: Any) -> list[int]:
        """The numbers of the traces that a search finds."""
        return [int(trace["traceID"][-16:], 16) for trace in await self.search(q, **parameters)]

    async def refusal(self, path: str, **parameters: Any) -> str:
        """The text of a 400."""
        response = await self.get(path, **parameters)
        assert response.status_code == 400, response.text
        assert response.headers["content-type"].startswith("text/plain")
        return response.text.strip()


OpenDoor = Callable[..., Door]


@pytest.fixture
async def open_door() -> AsyncIterator[OpenDoor]:
    """As tests.query.door.doors."""
    async with doors(Door) as open_one:
        yield open_one


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    return open_door()
