"""The archive beside the store, when one is configured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from query.archive import TraceArchive
from storage.factory import open_archive
from storage.settings import StorageSettings


@contextlib.asynccontextmanager
async def opened_archive(settings: StorageSettings) -> AsyncIterator[TraceArchive | None]:
    """The archive, open as long as the context, or None when `CLEW_ARCHIVE_URL` is not set."""
    store = open_archive(settings)
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
