"""The image: what its Dockerfile says, and, as the long form, its steps run without an engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clew.settings import doors, settings_fields
from storage.settings import CLOSED, host_and_port
from tests.deploy.image_steps import ignored, instructions, is_ignored

ROOT = Path(__file__).parents[2]
STEPS = instructions(ROOT / "Dockerfile")
WORDS = dict(STEPS)
LARGEST_BYTES = 660 * 10**6
"""Of what the image adds to its base; a quarter of it is LLVM, another pyarrow, DuckDB and numpy."""


def test_the_image_runs_as_nobody_in_particular_over_a_volume() -> None:
    assert WORDS["USER"] == "clew"
    assert WORDS["VOLUME"] == "/data"
    assert WORDS["STOPSIGNAL"] == "SIGTERM"
    assert (json.loads(WORDS["ENTRYPOINT"]), json.loads(WORDS["CMD"])) == (["clew"], ["serve"])


def test_the_image_exposes_every_door_that_is_open_by_default() -> None:
    fields = settings_fields()
    addresses = {fields[door].get_default() for door in doors()} - {CLOSED}
    exposed = {int(port.partition("/")[0]) for port in WORDS["EXPOSE"].split()}

    assert exposed == {host_and_port(address)[1] for address in addresses}


def test_what_only_the_build_needs_stays_in_its_stage() -> None:
    stages = [rest for word, rest in STEPS if word == "FROM"]
    last = len(STEPS) - 1 - [word for word, _ in reversed(STEPS)].index("FROM")

    assert [stage.split()[0] for stage in stages] == ["python:3.12-slim"] * 2
    assert not any("pip" in rest for word, rest in STEPS[last:] if word == "RUN")


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("clew/command.py", False),
        ("query/ui/web/src/main.ts", False),
        ("requirements.lock", False),
        ("query/ui/web/node_modules/x/y.js", True),
        ("clew/__pycache__/command.pyc", True),
        ("tests/builders.py", True),
        (".git/config", True),
        ("data/clew.duckdb", True),
        (".env", True),
    ],
)
def test_only_what_the_build_needs_is_in_its_context(path: str, out: bool) -> None:
    assert is_ignored(path, ignored(ROOT)) is out


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_steps_run_in_a_clean_root_and_what_they_build_keeps_spans_is_healthy_and_stops(tmp_path: Path) -> None:
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "tests.deploy.image_steps"]
    arguments = [str(ROOT / "Dockerfile"), str(ROOT), str(tmp_path / "image")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, check=False)

    assert done.returncode == 0, done.stderr[-5000:]
    report = json.loads(done.stdout)
    assert report["ready"]["event"] == "ready"
    assert (report["healthy"], report["kept"], report["exit"]) == (0, "get", 0)
    assert report["version"].startswith("clew, version ")
    assert report["bytes"]["app"] == 0
    assert report["bytes"]["opt"] < LARGEST_BYTES
