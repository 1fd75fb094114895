"""A real ClickHouse server in its own process, out of the chdb-core wheel, on free ports.

The wheel holds ClickHouse's HTTP and native TCP handlers, and its clickhouse-local starts them by SYSTEM START LISTEN.
That is reached through a private function of the wheel, so its version is pinned by the lock file. What such a server
lacks: DDL ON CLUSTER, ReplicatedMergeTree, system.query_log.
"""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.servers.ports import free_port

USER = "clew"
PASSWORD = "quite secret/@:?"

_READY_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 30
_PROGRAM = """
import ctypes
import sys
from chdb import _chdb

# Nobody else would end it when the tests are killed: prctl(PR_SET_PDEATHSIG, SIGKILL).
ctypes.CDLL(None).prctl(1, 9)
_chdb.query(
    "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; "
    # The server lives as long as this statement.
    "SELECT sleepEachRow(3) FROM numbers(1000000) "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null",
    "TSV",
    path=sys.argv[1],
)
"""


class ClickHouseServer:
    """ClickHouse over `directory`, whose data outlive the process. Entering waits until it answers, leaving ends it.

    shards: the TCP ports of the cluster `bench`, one replica each; none is no cluster.
    """

    def __init__(self, directory: Path, *, shards: Iterable[int] = (), tcp_port: int | None = None) -> None:
        self._directory = directory
        self._shards = tuple(shards)
        self._process: subprocess.Popen[bytes] | None = None
        self.http_port = free_port()
        self.tcp_port = tcp_port or free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "ClickHouse is not running"
        return self._process

    def start(self) -> None:
        """Start and wait until it answers; AssertionError with what it said when it does not."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._write_config()
        with (self._directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self._directory / "data")],
                cwd=self._directory,  # where clickhouse-local looks for its config.xml
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, f"ClickHouse ended before it answered:\n{self._output()}"
            assert time.monotonic() < deadline, f"ClickHouse did not answer in {_READY_TIMEOUT_S} s:\n{self._output()}"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        self._end(signal.SIGKILL)

    def url(self, database: str = "default") -> str:
        """The CLEW_STORAGE_URL of one of its databases."""
        return f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.http_port}/{database}"

    def execute(self, statement: str) -> str:
        """The answer to one statement, as tab-separated text."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/",
            data=statement.encode(),
            headers={"X-ClickHouse-User": USER, "X-ClickHouse-Key": PASSWORD},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{statement}: {error.read().decode()}") from error

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None, "ClickHouse is not running"
        self._process.send_signal(how)
        self._process.wait(_STOP_TIMEOUT_S)
        self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/ping", timeout=1) as answer:
                return bool(answer.read() == b"Ok.\n")
        except OSError:
            return False

    def _output(self) -> str:
        return (self._directory / "output").read_text(errors="replace")

    def _write_config(self) -> None:
        shards = "".join(
            f"<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{port}</port>"
            f"<user>{USER}</user><password>{escape(PASSWORD)}</password></replica></shard>"
            for port in self._shards
        )
        (self._directory / "config.xml").write_text(
            f"<clickhouse><http_port>{self.http_port}</http_port><tcp_port>{self.tcp_port}</tcp_port>"
            "<listen_host>127.0.0.1</listen_host><logger><level>none</level></logger>"
            "<users_config>users.xml</users_config>"
            f"<remote_servers><bench>{shards}</bench></remote_servers></clickhouse>"
        )
        (self._directory / "users.xml").write_text(
            "<clickhouse><profiles><default><max_threads>2</max_threads></default></profiles><quotas><default/></quotas><users>"
            "<default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>"
            "<quota>default</quota></default>"
            f"<{USER}><password>{escape(PASSWORD)}</password><networks><ip>127.0.0.1</ip></networks>"
            f"<profile>default</profile><quota>default</quota></{USER}></users></clickhouse>"
        )
