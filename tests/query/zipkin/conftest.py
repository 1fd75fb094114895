"""Zipkin's read API over a store in memory."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from query.api.zipkin import zipkin_app
from query.archive import TraceArchive
from query.settings import QuerySettings
from storage.contract import SpanReader
from tests.query.door import NOW_NS, HttpDoor, doors

__all__ = ["NOW_NS", "Door", "OpenDoor"]


class Door(HttpDoor):
    """Port 9411's read side."""

    def __init__(self, settings: QuerySettings, reader: SpanReader | None, archive: TraceArchive | None) -> None:
        super().__init__(lambda service: zipkin_app(service, clock_s=lambda: NOW_NS / 1e9), settings, reader, archive)

    async def refusal(self, path: str, **parameters: Any) -> str:
        """The text of a 400."""
        response = await self.get(path, **parameters)
        assert response.status_code == 400, response.text
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        return response.text


OpenDoor = Callable[..., Door]


@pytest.fixture
async def open_door() -> AsyncIterator[OpenDoor]:
    """As tests.query.door.doors."""
    async with doors(Door) as open_one:
        yield open_one


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    return open_door()
