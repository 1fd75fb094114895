"""One open DuckDB file: its lock, its settings, its cursors, and its way back after a fatal error.

DuckDB declares a whole instance dead when a checkpoint fails, for instance on a full disk, until every cursor is
closed and the file is opened again; nothing committed is lost by that. So every use of a cursor goes through
`Instance.cursor`, which counts them, and the first one after the death reopens the file.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, get_ident
from typing import TypeVar

import duckdb

from storage.duckdb import absent_modules  # noqa: F401  # imported for what it does
from storage.errors import StorageError, StoreConfigurationError, StoreUnavailable

CHECKPOINT_THRESHOLD = "44MB"
"""Write-ahead log at which DuckDB folds it into the file; every commit waits meanwhile. Measured on 1.5.6 with 820
bytes of log a span, at 50,000 spans/s: acknowledgements that met a checkpoint had a p99 of 240 ms with 32 MB, 260 with
44 and 350 with 64, at the same CPU. Each checkpoint makes row groups of its own, which reads have to look into."""

_NEVER = "1TB"
_MAX_THREADS = 4
_STORAGE_VERSION = "v1.5.0"
_MAX_TEMP_BYTES = 2 * 2**30

T = TypeVar("T")


class InstanceLost(StoreUnavailable):
    """The instance died under this call; the next use of a cursor reopens the file."""


class Instance:
    """A DuckDB file, held by this process alone from `open` to `close`."""

    def __init__(self, path: Path, memory_limit_bytes: int) -> None:
        self.path = path
        self._memory_limit_bytes = memory_limit_bytes
        self._gate = Condition()
        self._active = 0
        self._readers: dict[int, duckdb.DuckDBPyConnection] = {}
        self._root: duckdb.DuckDBPyConnection | None = None
        self._lost = False
        self._lock_file: int | None = None

    def open(self) -> None:
        """Take the lock and open the file, made if absent. StoreUnavailable, StoreConfigurationError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = _locked(self.path.with_name(f"{self.path.name}.lock"))
        except OSError as error:
            raise StoreConfigurationError(f"cannot use {self.path} as a store: {error}") from error
        try:
            self._root = self._connected()
            self.allow_checkpoints()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file and give the lock back, once every cursor is closed."""
        with self._gate:
            self._gate.wait_for(lambda: self._active == 0)
            if self._root is not None:
                self._root.close()
                self._root = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one thread and one call; an open transaction is rolled back at the end. Do not nest.

        Whatever DuckDB raises inside comes out as StoreUnavailable; as InstanceLost when it killed the instance.
        """
        cursor = self._enter()
        try:
            yield cursor
        except (duckdb.FatalException, duckdb.InternalException) as error:
            self._lost = True
            raise InstanceLost(f"duckdb gave up on {self.path} and it will be reopened: {error}") from error
        except duckdb.Error as error:
            raise StoreUnavailable(f"duckdb failed on {self.path}: {error}") from error
        finally:
            cursor.close()
            with self._gate:
                self._active -= 1
                self._gate.notify_all()

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """`work(cursor)`, once more on the reopened file when the instance died under it."""
        try:
            return self._read_once(work)
        except InstanceLost:
            return self._read_once(work)

    def interrupt(self, thread_id: int) -> None:
        """Make the statement that this thread's `read` runs fail; nothing happens between statements."""
        with self._gate:
            cursor = self._readers.get(thread_id)
            if cursor is not None:
                cursor.interrupt()

    def _read_once(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        thread_id = get_ident()
        with self.cursor() as cursor:
            with self._gate:
                self._readers[thread_id] = cursor
            try:
                return work(cursor)
            finally:
                with self._gate:
                    del self._readers[thread_id]

    def allow_checkpoints(self) -> None:
        """Let DuckDB checkpoint as it likes: how an instance starts, but not how one that died comes back."""
        with self.cursor() as cursor:
            cursor.execute(f"SET checkpoint_threshold = '{CHECKPOINT_THRESHOLD}'")

    def _enter(self) -> duckdb.DuckDBPyConnection:
        with self._gate:
            if self._lock_file is None:
                raise StorageError(f"the store {self.path} is not open")
            self._gate.wait_for(lambda: self._active == 0 or not self._lost)
            if self._lost or self._root is None:
                self._reopen()
            assert self._root is not None
            cursor = self._root.cursor()
            self._active += 1
            return cursor

    def _reopen(self) -> None:
        if self._root is not None:
            self._root.close()
            self._root = None
        self._root = self._connected()
        self._lost = False

    def _connected(self) -> duckdb.DuckDBPyConnection:
        # Opening replays the log and would then checkpoint it, which is what killed the instance if the disk is
        # full; with an unreachable threshold the file opens, and reads work, on a disk without a free byte. What the
        # log holds stays in memory until a checkpoint, beside what work needs.
        config: dict[str, str | bool | int | float | list[str]] = {
            "checkpoint_threshold": _NEVER,
            # A checkpoint puts its spans into new row groups. Merging small ones afterwards, which DuckDB does in the
            # same breath, rewrites hundreds of thousands of spans: commits waited up to 3 s for that. Row groups
            # whose spans are all dropped go without it.
            "max_vacuum_tasks": 0,
            "storage_compatibility_version": _STORAGE_VERSION,
            "memory_limit": f"{self._memory_limit_bytes + 2 * self._log_bytes()}B",
            "threads": min(_MAX_THREADS, os.cpu_count() or 1),
            "temp_directory": f"{self.path}.tmp",
            "max_temp_directory_size": f"{_MAX_TEMP_BYTES}B",
        }
        try:
            return duckdb.connect(str(self.path), config=config)
        except duckdb.Error as error:
            raise StoreUnavailable(f"cannot open {self.path}: {error}") from error

    def _log_bytes(self) -> int:
        log = self.path.with_name(f"{self.path.name}.wal")
        return log.stat().st_size if log.exists() else 0


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is executed inside, all of it or, when an exception leaves, none."""
    cursor.begin()
    yield
    cursor.commit()


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise StoreUnavailable(
            f"another clew process (pid {holder}) holds {path.with_suffix('')}; an embedded store serves one process"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
