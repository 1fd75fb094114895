"""A full disk: refused in clear words, nothing acknowledged lost, and it goes on by itself when space returns."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.batch import SpanBatch
from storage.duckdb.disk import Disk
from storage.errors import StoreFull, StoreUnavailable
from tests.builders import a_span, a_trace_id
from tests.storage.duckdb.conftest import StoreMaker

ROOT = Path(__file__).parents[3]


def what_happened(path: Path, log_bytes: int, free_bytes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.storage.duckdb.full_disk_process", str(path), str(log_bytes)]
    done = subprocess.run([*command, str(free_bytes)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


COMMIT_MEETS_IT = (100_000_000, 3_000_000)
CHECKPOINT_MEETS_IT = (1_000_000, 3_000_000)


@pytest.fixture(scope="module", params=[COMMIT_MEETS_IT, CHECKPOINT_MEETS_IT], ids=["in a commit", "in a checkpoint"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened on a disk that became full and was given space again."""
    log_bytes, free_bytes = request.param
    return what_happened(tmp_path_factory.mktemp("full") / "clew.duckdb", log_bytes, free_bytes) | {
        "checkpoint_met_it": log_bytes < free_bytes
    }


class TestADiskThatFillsUpUnderTheStore:
    def test_writes_are_refused_with_the_cause(self, report: dict[str, Any]) -> None:
        assert not report["again"]
        assert all("File too large" in failure for failure in report["failures"])

    def test_a_dead_instance_is_reopened(self, report: dict[str, Any]) -> None:
        """duckdb.md 5: no room in the log fails the transaction only; in a checkpoint it kills the instance."""
        assert (report["reopened"] > 0) == report["checkpoint_met_it"]

    def test_reads_go_on_while_the_disk_is_full(self, report: dict[str, Any]) -> None:
        assert report["readable_while_full"]

    def test_writes_go_on_by_themselves_when_space_returns(self, report: dict[str, Any]) -> None:
        assert report["stored_after"]

    def test_nothing_acknowledged_is_lost_and_nothing_refused_is_stored(self, report: dict[str, Any]) -> None:
        assert report["nothing_lost"]
        assert report["unacknowledged"] == 0
        assert report["reopened_alike"]


class TestTheGuardOfFreeSpace:
    def test_a_write_below_the_free_space_asked_for_is_refused_with_the_numbers(self, make_store: StoreMaker) -> None:
        with make_store(min_free_bytes=2**60) as store:
            with pytest.raises(StoreFull, match=rf"expected at least {2**60} bytes free .*CLEW_MIN_FREE_DISK.*got \d+"):
                store.write(SpanBatch.of([a_span(1)]))
            assert store.get_traces([a_trace_id(1)]) == []

    def test_writes_go_on_when_space_returns(self, make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch) -> None:
        free_bytes = 10
        monkeypatch.setattr(Disk, "free_bytes", lambda _: free_bytes)
        with make_store(min_free_bytes=100) as store:
            with pytest.raises(StoreFull, match=r"expected at least 100 bytes free in .* got 10"):
                store.write(SpanBatch.of([a_span(1)]))
            free_bytes = 100
            store.write(SpanBatch.of([a_span(1)]))
            assert len(store.get_traces([a_trace_id(1)])) == 1

    def test_a_failed_write_that_does_not_fit_is_a_full_store_and_any_other_is_not(self, path: Path) -> None:
        failure = StoreUnavailable("it failed")
        free = Disk(path, 0).free_bytes()
        assert isinstance(Disk(path, 0).explain(failure, free * 2), StoreFull)
        assert Disk(path, 0).explain(failure, 1) is failure
