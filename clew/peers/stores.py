"""Jaeger's storage backends: which of them clew can stand in for, and by what settings."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from storage.settings import TEMPORARY

STORE_URL = "CLEW_STORAGE_URL"
MEMORY_URL = "memory:"
ARCHIVE_URL = "CLEW_ARCHIVE_URL"
BADGER_TTL = "72h"
"""How long Badger keeps a span when nothing is said."""
UNREAD = "spans that Badger holds stay there unread"
DATABASE = "clew.duckdb"
"""The store's file in Badger's directory."""

ELSEWHERE: Mapping[str, str] = {
    "blackhole": "would lose every span",
    "cassandra": "is a database clew does not write to",
    "clickhouse": "is a database clew does not write to",
    "elasticsearch": "is a database clew does not write to",
    "opensearch": "is a database clew does not write to",
    "grpc": "is another process; clew keeps spans itself",
    "grpc-plugin": "is another process; clew keeps spans itself",
    "kafka": "is a queue to another process; clew keeps spans itself",
}
"""Jaeger's backends that clew is no substitute for."""


def refusal(backend: str, variable: str = STORE_URL) -> str:
    """Why a backend is refused, and what to do. variable: where a store of clew can be named instead."""
    several = "names several, and clew writes to one"
    why = several if "," in backend else ELSEWHERE.get(backend, "is no storage of Jaeger's")
    return f"{backend!r} {why}; expected badger (embedded, durable) or memory, or set {variable}"


def badger_settings(*, ephemeral: bool, keys: str, values: str, ttl: str) -> dict[str, str]:
    """The embedded store in Badger's directory of values (else of keys), keeping spans as long as Badger would.

    ephemeral: a directory that is gone at exit, as Badger's is. Without a directory clew's own default stands.
    """
    retention = {"CLEW_RETENTION": ttl or BADGER_TTL}
    if ephemeral:
        return {STORE_URL: TEMPORARY, **retention}
    directory = values or keys
    if not directory:
        return retention
    return {STORE_URL: f"duckdb:///{quote(str(PurePosixPath(directory) / DATABASE))}", **retention}


def memory_settings(max_traces: str) -> dict[str, str]:
    """The memory store, bounded in traces as Jaeger's is."""
    return {STORE_URL: MEMORY_URL} | ({"MEMORY_MAX_TRACES": max_traces} if max_traces else {})
