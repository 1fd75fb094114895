"""Opening the store at the start: its schema, and waiting for a database that is not there yet."""

import asyncio
import contextlib
import logging

from storage.contract import SpanStore
from storage.errors import StoreUnavailable
from storage.factory import schemas_of
from storage.revisions import require_current
from storage.settings import StorageSettings

log = logging.getLogger("clew")

RETRY_INTERVAL_S = 2.0


async def open_patiently(store: SpanStore, settings: StorageSettings, stop: asyncio.Event) -> None:
    """Enter the store, its schema brought up to date or, with CLEW_MIGRATE=false, checked.

    A database that does not answer is tried again until it does or `stop` is set, for it may start after clew; an
    embedded store that cannot be opened is another's, and raises at once. Raises what SpanStore.__enter__ does.
    """
    while True:
        try:
            await asyncio.to_thread(_enter, store, settings)
        except StoreUnavailable as error:
            if not store.capabilities.split_roles or stop.is_set():
                raise
            log.warning("%s; trying again in %g s", error, RETRY_INTERVAL_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_INTERVAL_S)
        else:
            return


def _enter(store: SpanStore, settings: StorageSettings) -> None:
    if not settings.migrate_at_start:
        for schema in schemas_of(settings):
            require_current(schema.state())
    store.__enter__()
