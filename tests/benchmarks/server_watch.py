"""The server under load, seen from outside: its CPU, its memory, and the moments at which its store checkpoints; and
the CPU of the database beside it, if there is one."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_WAL_INTERVAL_S = 0.01
_MEMORY_EVERY = 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """On the monotonic clock: from the last growth of the write-ahead log until it was seen emptied."""

    began_s: float
    ended_s: float


class ServerWatch:
    """Watches a process and its data directory from a thread, from entering to leaving. database: the processes whose
    CPU, with that of all their children, is its own."""

    def __init__(self, pid: int, data: Path, database: Sequence[int] = ()) -> None:
        self._process = psutil.Process(pid)
        self._database = [psutil.Process(one) for one in database]
        self._database_before_s = 0.0
        self.database_cpu_s = 0.0
        self._data = data
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="server-watch")
        self._cpu_before_s = 0.0
        self.checkpoints: list[Checkpoint] = []
        self.cpu_s = 0.0
        self.rss_max_bytes = 0

    def __enter__(self) -> Self:
        self._cpu_before_s = self._cpu()
        self._database_before_s = self._database_cpu()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self.cpu_s = self._cpu() - self._cpu_before_s
        self.database_cpu_s = self._database_cpu() - self._database_before_s

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _database_cpu(self) -> float:
        total = 0.0
        for process in self._database:
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
            for child in process.children(recursive=True):
                try:
                    own = child.cpu_times()
                except psutil.NoSuchProcess:  # its parent has its times by now
                    continue
                total += own.user + own.system
        return total

    def _watch(self) -> None:
        size, grew_s, round_number = 0, time.monotonic(), 0
        while not self._stopped.wait(_WAL_INTERVAL_S):
            now_s, found = time.monotonic(), _log_bytes(self._data)
            if found < size:
                self.checkpoints.append(Checkpoint(grew_s, now_s))
            if found != size:
                size, grew_s = found, now_s
            if round_number % _MEMORY_EVERY == 0:
                self.rss_max_bytes = max(self.rss_max_bytes, self._process.memory_info().rss)
            round_number += 1


def _log_bytes(data: Path) -> int:
    total = 0
    for path in data.glob("*.wal*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # emptied between listing and looking
            continue
    return total
