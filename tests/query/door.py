"""An HTTP port of the query side over a store in memory, asked as a client asks it. The clock stands at NOW_NS."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

from query.archive import TraceArchive
from query.service import QueryService
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.contract import SpanReader
from storage.memory import MemoryStore
from storage.span import Span
from tests.builders import HOUR, TODAY_NS

NOW_NS = TODAY_NS + HOUR


class HttpDoor:
    """The port, and the store behind it. `app` makes the application that answers there."""

    def __init__(
        self,
        app: Callable[[QueryService], ASGIApp],
        settings: QuerySettings,
        reader: SpanReader | None = None,
        archive: TraceArchive | None = None,
    ) -> None:
        self.store = MemoryStore(max_spans=100_000, autocomplete_keys=settings.autocomplete_keys)
        self.service = QueryService(reader or self.store, settings, archive=archive)
        transport = httpx.ASGITransport(app(self.service), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://clew", headers={"accept-encoding": ""})

    async def close(self) -> None:
        await self.client.aclose()
        self.service.close()

    def write(self, *spans: Span) -> None:
        self.store.write(SpanBatch.of(spans, received_ns=NOW_NS))

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """The answer to a GET; parameters are added to the path's own."""
        return await self.client.get(path, params=parameters or None)

    async def json(self, path: str, **parameters: Any) -> Any:
        """The document at a path that must answer 200."""
        response = await self.get(path, **parameters)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("application/json")
        return response.json()


Door = TypeVar("Door", bound=HttpDoor)


@asynccontextmanager
async def doors(
    kind: Callable[[QuerySettings, SpanReader | None, TraceArchive | None], Door],
) -> AsyncIterator[Callable[..., Door]]:
    """`open_one(reader=None, archive=None, **settings)`: a door with these QuerySettings (by field name), until the end
    of the context."""
    opened: list[Door] = []

    def open_one(reader: SpanReader | None = None, archive: TraceArchive | None = None, **settings: Any) -> Door:
        opened.append(kind(QuerySettings(**settings), reader, archive))
        return opened[-1]

    yield open_one
    for door in opened:
        await door.close()
