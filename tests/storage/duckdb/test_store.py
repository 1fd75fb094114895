"""Opening and closing: one process a file, folders made, errors that say what to do."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from storage.batch import SpanBatch
from storage.duckdb.store import DuckDBStore
from storage.errors import StorageError, StoreConfigurationError, StoreUnavailable
from storage.requests import RetentionPolicy
from tests.builders import a_span, a_trace_id
from tests.storage.duckdb.conftest import MEMORY_LIMIT_BYTES, StoreMaker

HOLDER = """
import sys
from pathlib import Path
from storage.duckdb.store import DuckDBStore
with DuckDBStore(Path(sys.argv[1]), 2**28, 0, ()):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_making_a_store_touches_no_file(make_store: StoreMaker, path: Path) -> None:
    make_store()
    assert list(path.parent.iterdir()) == []


def test_opening_makes_the_folders_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "clew.duckdb"
    with DuckDBStore(path, MEMORY_LIMIT_BYTES, 0, ()) as store:
        store.check()
    assert path.exists()


def test_a_file_cannot_be_opened_twice_in_one_process(store: DuckDBStore, make_store: StoreMaker) -> None:
    with pytest.raises(StoreUnavailable, match="another clew process"), make_store():
        pass
    store.check()


def test_a_file_that_another_process_holds_is_refused_by_its_pid_and_opens_when_that_one_ends(
    make_store: StoreMaker, path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreUnavailable, match=rf"another clew process \(pid {holder.pid}\) holds .*clew.duckdb"):
            make_store().__enter__()
        holder.communicate()
    with make_store() as store:
        store.check()


def test_a_file_that_another_program_holds_is_refused(make_store: StoreMaker, path: Path) -> None:
    program = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreUnavailable, match=r"cannot open .*clew\.duckdb.*lock"):
            make_store().__enter__()
        holder.communicate()
    with make_store() as store:
        store.check()


def test_a_file_of_something_else_is_refused_and_stays_as_it_is(make_store: StoreMaker, path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        make_store().__enter__()
    assert path.read_bytes() == b"not a database" * 1000


def test_a_database_with_tables_of_others_is_refused(make_store: StoreMaker, path: Path) -> None:
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE spans (mine INTEGER)")
    with pytest.raises(StoreConfigurationError, match="cannot set up the schema"):
        make_store().__enter__()
    with duckdb.connect(str(path)) as other:
        assert other.execute("SELECT count(*) FROM spans").fetchall() == [(0,)]


def test_a_folder_in_the_way_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreConfigurationError, match="cannot use"):
        DuckDBStore(tmp_path / "file" / "clew.duckdb", MEMORY_LIMIT_BYTES, 0, ()).__enter__()


def test_a_closed_store_refuses_every_call_and_can_be_opened_again(make_store: StoreMaker) -> None:
    store = make_store()
    with store:
        store.write(SpanBatch.of([a_span(1)]))
    with pytest.raises(StorageError, match="not open"):
        store.check()
    with store:
        assert len(store.get_traces([a_trace_id(1)])) == 1


def test_commit_numbers_go_on_after_everything_was_dropped_and_the_file_reopened(make_store: StoreMaker) -> None:
    drop_all = RetentionPolicy(max_age_ns=0, max_bytes=None)
    for number in range(1, 4):
        with make_store() as store:
            store.write(SpanBatch.of([a_span(number)], 1))
            assert [len(trace) for trace in store.get_traces([a_trace_id(number)])] == [1]
            assert store.maintain(drop_all, 2) == 1
    with make_store() as store:
        store.write(SpanBatch.of([a_span(9)], 1))
        assert [len(trace) for trace in store.get_traces([a_trace_id(9)])] == [1]
