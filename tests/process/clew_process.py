"""The real command in its own process, on free ports, with its own data directory."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from clew.settings import doors

DOORS = tuple(doors())
"""Each gets a free port."""

_SERVE = "import sys; sys.modules['pandas'] = None; from clew.command import main; main()"
"""`clew`, as where nothing is installed but what it needs: pandas comes with a package of the tests, and pyarrow loads
60 MB of it when it is there."""


class Clew:
    """`clew serve` over `directory`; entering waits for the ready line, leaving sends SIGTERM and expects exit 0."""

    def __init__(self, directory: Path, *, under: Sequence[str] = (), module: str = "clew", **settings: str) -> None:
        """under: a command that is given clew's own command line to run, such as unshare. module: what Python runs."""
        self._directory = directory
        self._module = module
        self._under = under
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.doors: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            code = self.stop()
            assert error is not None or code == 0, f"clew exited with {code}:\n{self.log()}"

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "clew is not running"
        return self._process

    def start(self) -> None:
        """Start and wait until every door is open."""
        self._directory.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEW_")}
        environment |= dict.fromkeys(DOORS, "127.0.0.1:0")
        environment |= {"CLEW_STORAGE_URL": f"duckdb:///{self._directory}/clew.duckdb", "CLEW_MIN_FREE_DISK": "1MiB"}
        with (self._directory / "clew.log").open("a") as log:
            self._process = subprocess.Popen(
                [*self._under, sys.executable, "-m", self._module, "serve"],
                env=environment | self._settings,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.doors = self._ready_doors(timeout_s=100)

    def url(self, door: str) -> str:
        """http://host:port of a door named in the ready line."""
        return f"http://{self.doors[door]}"

    def stop(self) -> int:
        """SIGTERM, wait, and give the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended(timeout_s=60)

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        self.process.kill()
        self._ended(timeout_s=10)

    def log(self) -> str:
        """What the process wrote to standard error."""
        return (self._directory / "clew.log").read_text()

    def _ended(self, timeout_s: float) -> int:
        code = self.process.wait(timeout_s)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._process = None
        return code

    def _ready_doors(self, timeout_s: float) -> dict[str, str]:
        stdout = self.process.stdout
        assert stdout is not None
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not select.select([stdout], [], [], 0.5)[0]:
                continue
            line = stdout.readline()
            if not line:
                self._ended(timeout_s=10)
                raise AssertionError(f"clew ended before it was ready:\n{self.log()}")
            message = json.loads(line)
            if message["event"] == "ready":
                return dict(message["doors"])
        raise AssertionError(f"clew was not ready within {timeout_s} s:\n{self.log()}")
