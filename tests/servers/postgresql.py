"""A real PostgreSQL for tests: Debian's binaries, a cluster of its own in a temporary folder, on a free port.

initdb and the server refuse to run as root, so as root they are run as the user that Debian's package made, or nobody.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.servers.ports import free_port
from tests.waiting import wait_until

MIN_VERSION = 14
_INSTALLED = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
_USER = "clew"
_PASSWORD = "secret words"
_STOP_S = 600
"""A fast shutdown writes what is in the buffers: 2 GB in a measurement, on a disk that others may keep busy."""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "autovacuum_naptime": "10s",
}


def newest_binaries() -> Path:
    """The folder of initdb and postgres. AssertionError that says what to install when there is none."""
    found = [folder for folder in _INSTALLED.glob("*/bin") if (folder / "initdb").exists()]
    found = [folder for folder in found if int(folder.parent.name) >= MIN_VERSION]
    assert found, (
        f"these tests need PostgreSQL {MIN_VERSION} or newer below {_INSTALLED}; on Debian: apt-get install postgresql"
    )
    return max(found, key=lambda folder: int(folder.parent.name))


class PostgreSQLServer:
    """A cluster and the server over it. Entering starts it, leaving removes it."""

    def __init__(self, auth: str = "scram-sha-256", **settings: str) -> None:
        """auth: as in pg_hba.conf. settings: of postgresql.conf, besides those that suit a test."""
        self._auth = auth
        self._binaries = newest_binaries()
        self._settings = _SETTINGS | settings
        self._folder = Path(tempfile.mkdtemp(prefix="clew-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        try:
            self._init()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where all its files are."""
        return self._folder

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server is not running"
        return self._process

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [argument for name, value in self._settings.items() for argument in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_unprivileged(), str(self._binaries / "postgres"), "-D", self._data, "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, "PostgreSQL answers", timeout_s=90)

    def stop(self, by: signal.Signals) -> None:
        """End the server: SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. Waits for the end."""
        self.process.send_signal(by)
        self.process.wait(_STOP_S)
        self._process = None

    def kill(self) -> None:
        """SIGKILL to the server and all its processes at once, as when the machine goes."""
        children = _children_of(self.process.pid)
        for pid in (self.process.pid, *children):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(60)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "its processes have ended")
        self._process = None

    def url(self, database: str = "postgres") -> str:
        """The URL that clew takes."""
        return f"postgresql://{_USER}:{_PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of an own database: an empty one, or a copy of another, to which nobody is connected."""
        name = f"clew_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def log(self) -> str:
        """What the server wrote."""
        return (self._folder / "log").read_text(errors="replace")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _init(self) -> None:
        password = self._folder / "password"
        password.write_text(_PASSWORD)
        if user := _other_user():
            for path in (self._folder, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        subprocess.run(
            [
                *_unprivileged(),
                str(self._binaries / "initdb"),
                *("-D", self._data, "-U", _USER, f"--pwfile={password}", f"--auth={self._auth}"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
        )

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"PostgreSQL ended at once:\n{self.log()}"
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged() -> list[str]:
    user = _other_user()
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _other_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    return next(entry for name in _USERS for entry in pwd.getpwall() if entry.pw_name == name)


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
