"""One running clew: the store, the collector and the query side joined, the doors opened, and all of it closed again.

Closing mirrors opening: the doors, all at once; then the queue is drained, the readers stop, and the store closes.
"""

import asyncio
import contextlib
import gc
import json
import logging
import signal
from collections.abc import Callable

import click

from clew import VERSION
from clew.admin import Health, admin_app, metrics_app, status_app
from clew.archive import opened_archive
from clew.doors import Doors
from clew.ingest_doors import open_ingest_doors
from clew.read_doors import open_read_doors
from clew.roles import refuse_split
from clew.settings import Settings
from clew.store_opening import opened_store
from clew.store_watch import StoreWatch
from clew.zipkin_about import ZipkinAbout
from clew.zipkin_port import ZipkinPort
from collector.app import Collector
from collector.budget import ByteBudget
from collector.ledger import Ledger
from collector.metrics import CollectorMetrics
from query.api.zipkin import zipkin_app
from query.measured_reader import MeasuredReader
from query.metrics import QueryMetrics
from query.service import QueryService
from storage.contract import SpanStore
from storage.factory import open_archive, open_store
from storage.requests import RetentionPolicy

log = logging.getLogger("clew")


class Process:
    """One running clew. Parts are opened in order on a stack and closed in the mirrored order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._health = Health()
        self._doors = Doors(settings)
        self._zipkin: ZipkinPort | None = None

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT. True when everything taken was stored and closed."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            opening = asyncio.create_task(self._open(stack))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
            ...
        return True
