"""Jaeger's JSON API over a store in memory."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from clew.uploads import file_uploads, otlp_uploads
from collector.settings import CollectorSettings
from query.api.jaeger import jaeger_app
from query.archive import TraceArchive
from query.settings import QuerySettings
from storage.contract import SpanReader
from tests.query.door import NOW_NS, HttpDoor, doors

__all__ = ["NOW_NS", "Door", "OpenDoor"]


class Door(HttpDoor):
    """Port 16686."""

    def __init__(self, settings: QuerySettings, reader: SpanReader | None, archive: TraceArchive | None) -> None:
        limits = {"max_body_bytes": 100_000, "max_inflated_bytes": 200_000}
        sizes = CollectorSettings.model_validate(limits)
        uploads, files = otlp_uploads(sizes), file_uploads(sizes)
        super().__init__(
            lambda service: jaeger_app(service, uploads=uploads, files=files, now_ns=lambda: NOW_NS),
            settings,
            reader,
            archive,
        )

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
    """As tests.query.door.doors."""
    async with doors(Door) as open_one:
        yield open_one


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    return open_door()
