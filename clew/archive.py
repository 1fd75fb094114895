"""The archive beside the store, when one is configured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from query.archive import TraceArchive
from storage.contract import SpanStore


@contextlib.asynccontextmanager
async def opened_archive(store: SpanStore | None) -> AsyncIterator[TraceArchive | None]:
    """The archive in this store, open as long as the context; None without one."""
    if store is None:
        yield None
        return
    await asyncio.to_thread(store.__enter__)
    archive = TraceArchive(store)
    try:
        yield archive
    finally:
        await asyncio.to_thread(archive.close)
        await asyncio.to_thread(store.__exit__, None, None, None)
