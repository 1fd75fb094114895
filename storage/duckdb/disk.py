"""The disk under the store: how much of it is taken, and whether there is room for another write."""

import os
from pathlib import Path

from storage.errors import StoreFull, StoreUnavailable


class Disk:
    """The file system that holds one store's file. min_free_bytes: below it no write is let through; 0 is no bound."""

    def __init__(self, path: Path, min_free_bytes: int) -> None:
        self._path = path
        self._min_free_bytes = min_free_bytes

    @property
    def wal_path(self) -> Path:
        """DuckDB's write-ahead log stands beside the file."""
        return self._path.with_name(f"{self._path.name}.wal")

    def free_bytes(self) -> int:
        """What an unprivileged process may still write here."""
        status = os.statvfs(self._path.parent)
        return status.f_bavail * status.f_frsize

    def used_bytes(self) -> int:
        """The size of the store's file and of its write-ahead log."""
        return _size(self._path) + _size(self.wal_path)

    def wal_bytes(self) -> int:
        """The size of the write-ahead log; 0 right after a checkpoint."""
        return _size(self.wal_path)

    def require_room(self) -> None:
        """Raise StoreFull when less than `min_free_bytes` are free."""
        free = self.free_bytes()
        if free < self._min_free_bytes:
            raise StoreFull(
                f"expected at least {self._min_free_bytes} bytes free in {self._path.parent} (CLEW_MIN_FREE_DISK), "
                f"got {free}; writes are refused until space returns"
            )

    def explain(self, error: StoreUnavailable, needed_bytes: int) -> StoreUnavailable:
        """StoreFull when the failed write did not fit into what is free, else the error as it is."""
        free = self.free_bytes()
        if free >= needed_bytes:
            return error
        full = StoreFull(f"cannot write {needed_bytes} bytes, {free} are free in {self._path.parent}: {error}")
        full.__cause__ = error
        return full


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
