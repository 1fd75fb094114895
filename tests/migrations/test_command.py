"""`clew migrate` as an operator and a deployment run it: real processes, exit codes, one line a store."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from storage.batch import SpanBatch
from storage.duckdb.schema import DuckDBSchema
from storage.duckdb.store import DuckDBStore
from tests.builders import a_span, a_trace_id
from tests.process.clew_process import Clew

MEMORY_BYTES = 2**28
HEAD = DuckDBSchema(Path("nowhere"), MEMORY_BYTES).state().known


def started(directory: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEW_")}
    environment["CLEW_STORAGE_URL"] = f"duckdb:///{directory}/clew.duckdb"
    command = [sys.executable, "-m", "clew", "migrate", *arguments]
    return subprocess.Popen(
        command, env=environment | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    output, errors = process.communicate(timeout=60)
    return process.returncode, output.strip(), errors.strip()


def run(directory: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    return ended(started(directory, *arguments, **settings))


def test_a_store_is_behind_until_it_is_brought_up(tmp_path: Path) -> None:
    where = f"{tmp_path}/clew.duckdb"

    assert run(tmp_path, "status") == (3, f"{where}: holds nothing, known {HEAD}", "")
    assert not Path(where).exists()
    assert run(tmp_path, "up") == (0, f"{where}: holds {HEAD}, known {HEAD}", "")
    assert run(tmp_path, "status") == (0, f"{where}: holds {HEAD}, known {HEAD}", "")


def test_several_processes_may_bring_up_one_store_at_once(tmp_path: Path) -> None:
    processes = [started(tmp_path, "up", "--wait=60s") for _ in range(3)]

    assert [ended(process) for process in processes] == [
        (0, f"{tmp_path}/clew.duckdb: holds {HEAD}, known {HEAD}", "")
    ] * 3


def test_the_archive_is_brought_up_too(tmp_path: Path) -> None:
    archive = f"{tmp_path}/archive.duckdb"

    code, output, _ = run(tmp_path, "up", CLEW_ARCHIVE_URL=f"duckdb:///{archive}")

    assert (code, output.splitlines()[1]) == (0, f"{archive}: holds {HEAD}, known {HEAD}")


def test_a_store_that_is_served_is_told_from_one_that_is_free(tmp_path: Path) -> None:
    with Clew(tmp_path) as clew:
        code, output, errors = run(tmp_path, "status", "--wait=0s")

        assert (code, output) == (1, "")
        assert f"another clew process (pid {clew.process.pid}) holds {tmp_path}/clew.duckdb" in errors
    assert run(tmp_path, "status")[0] == 0


def test_a_store_is_brought_back_for_an_older_clew_unless_that_would_lose_spans(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    with DuckDBStore(path, MEMORY_BYTES, 0, ()) as store:
        store.write(SpanBatch.of([a_span(1)]))

    assert run(tmp_path, "down", "0001")[:2] == (0, f"{path}: holds 0001, known {HEAD}")
    code, _, errors = run(tmp_path, "down", "base")
    assert code == 1
    assert "going back below 0001 would lose every span" in errors
    assert run(tmp_path, "up")[0] == 0
    with DuckDBStore(path, MEMORY_BYTES, 0, ()) as store:
        assert len(store.get_traces([a_trace_id(1)])) == 1


@pytest.mark.parametrize("command", ["up", "status"])
def test_a_store_of_a_newer_clew_is_left_alone(tmp_path: Path, command: str) -> None:
    path = tmp_path / "clew.duckdb"
    with DuckDBStore(path, MEMORY_BYTES, 0, ()):
        pass
    with duckdb.connect(str(path)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")

    code, _, errors = run(tmp_path, command)

    assert code == 1
    assert f"clew.duckdb has schema revision 9999, this clew knows up to {HEAD}" in errors


def test_a_memory_store_has_nothing_to_migrate(tmp_path: Path) -> None:
    assert run(tmp_path, "up", CLEW_STORAGE_URL="memory:")[:2] == (
        0,
        "memory: has no schema: it begins empty each time",
    )


def test_wrong_settings_are_exit_code_2(tmp_path: Path) -> None:
    assert run(tmp_path, "up", CLEW_RETENTION="never")[0] == 2
    assert run(tmp_path, "up", "--wait=never")[0] == 2


def test_a_url_that_names_no_store_is_exit_code_1(tmp_path: Path) -> None:
    code, _, errors = run(tmp_path, "up", CLEW_STORAGE_URL="mysql://db/spans")

    assert code == 1
    assert "CLEW_STORAGE_URL: expected" in errors


def test_serve_leaves_an_old_store_alone_when_it_may_not_migrate_and_says_what_to_run(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    with DuckDBStore(path, MEMORY_BYTES, 0, ()):
        pass
    DuckDBSchema(path, MEMORY_BYTES).downgrade("0001")
    clew = Clew(tmp_path, CLEW_MIGRATE="false")

    with pytest.raises(AssertionError, match="clew migrate up"):
        clew.start()

    assert f"has schema revision 0001, this clew needs {HEAD}, and CLEW_MIGRATE=false" in clew.log()
    assert DuckDBSchema(path, MEMORY_BYTES).state().held == "0001"
    assert run(tmp_path, "up")[0] == 0
    with clew:
        pass


def test_serve_brings_an_old_store_up_when_it_may(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    with DuckDBStore(path, MEMORY_BYTES, 0, ()):
        pass
    DuckDBSchema(path, MEMORY_BYTES).downgrade("0001")

    with Clew(tmp_path):
        pass

    assert DuckDBSchema(path, MEMORY_BYTES).state().is_current
